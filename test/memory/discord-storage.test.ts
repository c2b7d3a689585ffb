import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { converse, folder, newTurn, post } from "./helpers.ts";

describe("the outbox", () => {
  test("hands out answers until they are planned, oldest first", async () => {
    using at = folder();
    using memory = at.open();
    const ids: string[] = [];
    for (const id of ["1", "2", "3"]) {
      const over = { discordMessageId: id, replyTo: { channelId: "200", messageId: id } };
      ids.push((await converse(memory, `answer ${id}`, over)).id);
    }
    await converse(memory, "a program's", {});
    const due = async (limit: number) => (await memory.outbox.undelivered(limit)).map(({ turnId }) => turnId);
    expect(await due(10)).toEqual(ids);
    expect(await due(2)).toEqual(ids.slice(0, 2));
    await memory.outbox.planAnswer(ids[0] ?? "", [post("a"), post("b", { ordinal: 1 })]);
    expect(await due(10)).toEqual(ids.slice(1));
    expect(await memory.outbox.open(10)).toEqual([post("a"), post("b", { ordinal: 1 })]);
  });

  test("keeps the order in which posts were planned, over a restart, and forgets those that are sent", async () => {
    using at = folder();
    {
      using memory = at.open();
      const { id } = await converse(memory, "yes", { replyTo: { channelId: "200", messageId: "1" } });
      await memory.outbox.planAnswer(id, [post("z"), post("y"), post("x")]);
      await memory.outbox.planAnswer(id, [post("z", { content: "planned twice" }), post("w")]);
      await memory.outbox.markSending("z", 5);
    }
    using memory = at.open();
    expect(await memory.outbox.open(10)).toEqual([
      post("z", { state: "sending", sendingAt: 5 }),
      post("y"),
      post("x"),
      post("w"),
    ]);
    await memory.outbox.markSent("z", "999");
    await memory.outbox.markFailed("y", "50013");
    await memory.outbox.markSending("z", 9);
    await memory.outbox.markSent("y", "998");
    expect((await memory.outbox.open(1)).map(({ nonce }) => nonce)).toEqual(["x"]);
    expect(await memory.outbox.isOurs("999")).toBe(true);
    expect(await memory.outbox.isOurs("998")).toBe(false);
  });

  test("stores a notice with its trigger's tombstone, or neither", async () => {
    using at = folder();
    using memory = at.open();
    expect(await memory.outbox.planNotice("7", "200", [post("n", { purpose: "notice" })])).toBe(true);
    expect(await memory.outbox.planNotice("7", "200", [post("m")])).toBe(false);
    expect((await memory.outbox.open(10)).map(({ nonce }) => nonce)).toEqual(["n"]);
    expect((await memory.turns.accept(newTurn({ discordMessageId: "7" }), 8)).status).toBe("duplicate");
  });
});

describe("what the gateway needs", () => {
  test("tombstones are set once", async () => {
    using at = folder();
    using memory = at.open();
    expect(await memory.seen.has("1")).toBe(false);
    expect(await memory.seen.add("1", "200")).toBe(true);
    expect(await memory.seen.add("1", "200")).toBe(false);
    expect(await memory.seen.has("1")).toBe(true);
  });

  test("a mark never goes back, also where ids differ in length", async () => {
    using at = folder();
    using memory = at.open();
    const snowflake = fc.bigInt({ min: 1n, max: 2n ** 63n });
    let channel = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(snowflake, { minLength: 1, maxLength: 8 }), async (ids) => {
        const channelId = String(channel++);
        for (const id of ids) await memory.marks.advance(new Map([[channelId, String(id)]]));
        const newest = ids.toSorted((a, b) => (a < b ? -1 : 1)).at(-1);
        expect(await memory.marks.get(channelId)).toBe(String(newest));
      }),
      { numRuns: 50 },
    );
    expect(await memory.marks.get("none")).toBeNull();
    expect(await memory.marks.all(10)).toHaveLength(10);
  });

  test("gateway sessions are stored by shard, replaced and cleared", async () => {
    using at = folder();
    using memory = at.open();
    const session = { shardId: 1, shardCount: 2, sessionId: "abc", resumeUrl: "wss://x", sequence: 7 };
    await memory.gatewaySessions.set(session);
    await memory.gatewaySessions.set({ ...session, sequence: 8 });
    expect(await memory.gatewaySessions.get(1)).toEqual({ ...session, sequence: 8 });
    expect(await memory.gatewaySessions.get(0)).toBeNull();
    await memory.gatewaySessions.clear(1);
    expect(await memory.gatewaySessions.get(1)).toBeNull();
  });

  test("identifies are counted from a time on, and forgotten after a week", async () => {
    using at = folder();
    using memory = at.open();
    const day = 24 * 3_600_000;
    for (const at of [0, day, 8 * day, 8 * day]) await memory.identifies.record(at);
    expect(await memory.identifies.since(8 * day)).toEqual({ count: 2, latestAt: 8 * day });
    expect(await memory.identifies.since(0)).toEqual({ count: 3, latestAt: 8 * day });
    expect(await memory.identifies.since(9 * day)).toEqual({ count: 0, latestAt: null });
  });
});
