import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { AppError } from "../../src/errors.ts";
import { createHearings, type Hearing } from "../../src/protocol/hearing.ts";
import { heldMs } from "../../src/protocol/listening.ts";
import type { StreamEvent } from "../../src/sessions/events.ts";
import { fromChannel } from "../../src/tools/sources.ts";
import { type Client, connect, initialized, type Message } from "../http/client.ts";
import { startWorld, type World } from "../http/world.ts";
import { channel, ids } from "../tools/harness.ts";

let world: World;
let session_id: string;
let client: Client;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const there = { user_id: ids.ana, channel_id: ids.general, guild_id: ids.guild };
const gone = new AppError("not_found", "There is no such channel that can be seen from here.");
const word = "(This draws on a place that you cannot read any more, and is withheld.)";
const kept = "The keys are under the mat.";

const mayRead = () => world.tools.facts.channelFacts.set(ids.hidden, channel(ids.hidden, { name: "hidden" }));
const mayNotRead = () => {
  world.tools.facts.channelFacts.delete(ids.hidden);
  world.accessChanged(ids.guild);
};

beforeEach(async () => {
  world.reach.refusal = null;
  world.clock.offset = 0;
  world.tools.sources = [fromChannel(ids.hidden)];
  mayRead();
  world.script.tool = () => ({ name: "echo", input: { value: kept } });
  world.script.answer = () => kept;
  // Later turns rest on what earlier ones have read.
  await world.turns.reset(ids.ana, ids.general, ids.guild);
  client = await connect(world);
  session_id = await initialized(client, { ...there, session_id: crypto.randomUUID() });
});

/** A turn that waits for the model's answer once its tool has been called: gives what lets it go on. */
async function asked(by: Client = client) {
  const begun = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  world.script.answer = () => {
    begun.resolve();
    return answer.promise;
  };
  const reply = by.request("process", { session_id, message: "Where are the keys?" });
  await begun.promise;
  return { reply, goOn: () => answer.resolve(kept) };
}

const eventsOf = ({ received }: Client) =>
  received.flatMap(({ type, data }) => (type === "event" ? [data.event] : []));
const isEvent =
  (type: string) =>
  ({ type: kind, data }: Message) =>
    kind === "event" && data.event.type === type;
const all = (by: Client) => JSON.stringify(by.received);

describe("who loses the place while a turn goes on", () => {
  test("hears no more of it, is told so, and gets no answer", async () => {
    const listener = await connect(world, { path: `/mcp/ws/${session_id}` });
    const { reply, goOn } = await asked();
    world.reach.refusal = gone;
    world.accessChanged(ids.guild);
    goOn();
    expect((await reply).data).toMatchObject({ code: "not_found", turn_id: expect.any(String) });
    for (const one of [client, listener]) {
      const { data } = await one.next(isEvent("following_ended"));
      expect(data.event).toEqual({
        type: "following_ended",
        code: "not_found",
        message: gone.message,
      });
      // So that they get what came after it, once they are back.
      expect(eventsOf(one).at(-1)).toEqual(data.event);
      expect(data.seq).toBe(one.received.findLast(isEvent("tool_finished"))?.data.seq);
      expect(eventsOf(one).filter(({ type }) => type === "text_delta")).toEqual([]);
    }

    world.reach.refusal = null;
    const { seq: last_seq, stream_epoch } = (await client.next(isEvent("following_ended"))).data;
    await client.request("initialize", { ...there, session_id, last_seq, stream_epoch });
    expect((await client.next(isEvent("turn_finished"))).data.event.response).toBe(kept);
    await Promise.all([client.close(), listener.close()]);
  });

  test("is found out where Discord does not tell of it", async () => {
    const { reply, goOn } = await asked();
    world.reach.refusal = gone;
    world.clock.offset = heldMs;
    goOn();
    expect((await reply).data.code).toBe("not_found");
    await client.next(isEvent("following_ended"));
    expect(eventsOf(client).filter(({ type }) => type === "text_delta")).toEqual([]);
    await client.close();
  });

  test("hears no more of it as server-sent events either", async () => {
    const begun = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<string>();
    world.script.answer = () => {
      begun.resolve();
      return answer.promise;
    };
    const headers = { accept: "text/event-stream" };
    const response = await world.post("/mcp/process", { session_id, message: "Where?" }, headers);
    await begun.promise;
    world.reach.refusal = gone;
    world.accessChanged(ids.guild);
    answer.resolve(kept);
    const text = await response.text();
    expect(text).toContain('"type":"following_ended","code":"not_found"');
    expect(text).toMatch(/event: error\ndata: \{[^\n]+"code":"not_found"/);
    expect(text).not.toContain('"type":"text_delta"');
    await client.close();
  });

  test("of who cannot be said whether they are there is told nothing more", async () => {
    const { reply, goOn } = await asked();
    world.reach.refusal = new AppError("discord_unavailable", "Discord gave no answer.");
    world.accessChanged(ids.guild);
    goOn();
    expect((await reply).data.code).toBe("discord_unavailable");
    const { data } = await client.next(isEvent("following_ended"));
    expect(data.event.code).toBe("discord_unavailable");
    expect(eventsOf(client).filter(({ type }) => type === "text_delta")).toEqual([]);
    await client.close();
  });
});

describe("what rests on a channel that somebody may not read any more", () => {
  test("is not told while it happens, nor as the answer", async () => {
    const { reply, goOn } = await asked();
    mayNotRead();
    goOn();
    const { data, error } = await reply;
    expect(data).toMatchObject({ code: "permission_denied", turn_id: expect.any(String) });
    expect(error).toContain("draws on a place that you cannot read any more");
    const { event } = (await client.next(isEvent("turn_finished"))).data;
    expect(event).toMatchObject({ response: word, withheld: true, stop_reason: "end_turn" });
    const deltas = eventsOf(client).filter(({ type }) => type === "text_delta");
    expect(deltas.length).toBeGreaterThan(0);
    for (const delta of deltas) expect(delta).toMatchObject({ text: "", withheld: true, step: 2 });
    await client.close();
  });

  test.each(["/mcp/ws", "bound"])("is not told again to who comes back by %s", async (path) => {
    const { seq: last_seq } = (await client.request("initialize", { ...there, session_id })).data;
    const { data } = await client.request("process", { session_id, message: "Where are the keys?" });
    expect(data.response).toBe(kept);
    await client.close();
    const back = async () => {
      const since = { last_seq, stream_epoch: world.events.epoch };
      if (path === "bound") {
        const query = `last_seq=${last_seq}&stream_epoch=${world.events.epoch}`;
        return connect(world, { path: `/mcp/ws/${session_id}?${query}` });
      }
      const again = await connect(world);
      await again.request("initialize", { ...there, session_id, ...since });
      return again;
    };

    const before = await back();
    expect((await before.next(isEvent("turn_finished"))).data.event.response).toBe(kept);
    await before.close();

    mayNotRead();
    const again = await back();
    const finished = await again.next(isEvent("turn_finished"));
    expect(finished.data.event).toMatchObject({ response: word, withheld: true, turn_id: data.turn_id });
    // What happened before the channel was read is theirs: the call, and what it was made with.
    const [call] = eventsOf(again).filter(({ type }) => type === "tool_started");
    expect(call).toMatchObject({ tool_name: "echo", arguments: { value: kept } });
    const numbers = again.received.flatMap((one) => (one.type === "event" ? [one.data.seq] : []));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    await again.close();
  });

  test("is the later turn's that was given it", async () => {
    await client.request("process", { session_id, message: "Where are the keys?" });
    // The next one calls nothing, and has read of the one before.
    world.script.tool = null;
    const { reply, goOn } = await asked();
    mayNotRead();
    goOn();
    expect((await reply).data.code).toBe("permission_denied");
    const last = (await reply).data.turn_id;
    const said = eventsOf(client).filter(({ turn_id }) => turn_id === last);
    expect(JSON.stringify(said)).not.toContain(kept);
    await client.close();
  });

  test("is not told again as the outcome of a call that is repeated", async () => {
    const call = () =>
      client.request(
        "tool_call",
        { session_id, tool_name: "echo", arguments: { value: kept } },
        { metadata: { idempotency_key: "once" } },
      );
    expect((await call()).data.result).toEqual({ value: kept });
    expect((await call()).data.result).toEqual({ value: kept });
    mayNotRead();
    const calls = world.tools.calls;
    expect((await call()).data.code).toBe("permission_denied");
    expect(world.tools.calls).toBe(calls);
    await client.close();
  });

  test("is told while it happens to who sees the channel and not its history, as the tool gave it to them", async () => {
    const deny = PermissionFlagsBits.ReadMessageHistory;
    const overwrite = { id: ids.guild, type: "role", allow: 0n, deny } as const;
    world.tools.facts.channelFacts.set(ids.hidden, channel(ids.hidden, { overwrites: [overwrite] }));
    const { data } = await client.request("process", { session_id, message: "What is it called?" });
    expect(data.response).toBe(kept);
    expect(all(client)).not.toContain("withheld");
    await client.close();
  });

  test("is nobody's loss who may read it", async () => {
    const before = world.reach.asked.length;
    const { data } = await client.request("process", { session_id, message: "Where are the keys?" });
    expect(data.response).toBe(kept);
    expect(all(client)).not.toContain("withheld");
    // Once for the request, once for the sources while it streams, and once for the answer: not for each event.
    expect(world.reach.asked.length - before).toBeLessThanOrEqual(3);
    await client.close();
  });
});

test("a question is not told again to who could not do any more what it asks about", async () => {
  const { data } = await client.request("tool_call", { session_id, tool_name: "close" });
  const { seq: last_seq } = (await client.request("initialize", { ...there, session_id, last_seq: 0 })).data;
  expect(last_seq).toBeGreaterThan(0);
  const back = async () => {
    const again = await connect(world);
    const since = { last_seq: last_seq - 1, stream_epoch: world.events.epoch };
    const reply = await again.request("initialize", { ...there, session_id, ...since });
    const event = await again.next(isEvent("approval_requested"));
    await again.close();
    const [pending] = reply.data.pending_approvals;
    expect(pending.approval_id).toBe(data.approval_id);
    expect(event.data.event.approval_id).toBe(data.approval_id);
    return [pending.question, event.data.event.question];
  };
  expect(data.question).toContain("Close #general?");
  expect(await back()).toEqual([data.question, data.question]);
  const held = world.tools.facts.everyone;
  world.tools.facts.everyone = 0n;
  expect(await back()).toEqual([word, word]);
  world.tools.facts.everyone = held;
  await client.close();
});

describe("what waits until it is established who may hear it", () => {
  const session = {
    id: "s_1",
    userId: ids.ana,
    channelId: ids.general,
    guildId: ids.guild,
    conversationId: "c_1",
    activeTools: [],
    tokenId: null,
    createdAt: 0,
    lastUsedAt: 0,
    expiresAt: 0,
    messageCount: 0,
    toolCallCount: 0,
  };
  const actor = { kind: "user", userId: ids.ana, guildId: ids.guild, channelId: ids.general } as const;
  const eventOf = (seq: number, text = ""): StreamEvent => ({
    ...{ seq, json: JSON.stringify({ type: "text_delta", text }), turnId: "t", sessionId: null },
    ...{ origin: null, sources: [] },
  });

  function listening() {
    const questions: PromiseWithResolvers<void>[] = [];
    let tell = (_guildId: string): void => {};
    const told: string[] = [];
    let ended = 0;
    const hearings = createHearings({
      places: {
        assertReachable() {
          const question = Promise.withResolvers<void>();
          questions.push(question);
          return question.promise;
        },
      },
      sessions: { unreadable: async () => [], assertMayHear: async () => {} },
      turns: { approval: async () => null },
      tools: { assertMayApprove: async () => {} },
      onAccessChanged(listener) {
        tell = listener;
        return () => {};
      },
      now: () => 0,
    });
    const hearing: Hearing = hearings.open(
      session,
      actor,
      { after: 0, newest: 0 },
      {
        tell: (seq, json) => void told.push(`${seq} ${json}`),
        ended: () => void ended++,
      },
    );
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    return { hearing, questions, told, settled, changed: () => tell(ids.guild), ends: () => ended };
  }

  test("goes in its order, and is asked about once", async () => {
    const { hearing, questions, told, settled } = listening();
    for (const seq of [1, 2, 3]) hearing.hear(eventOf(seq));
    expect([told.length, questions.length]).toEqual([0, 1]);
    questions[0]?.resolve();
    await settled();
    hearing.hear(eventOf(4));
    expect(told.map((line) => line.split(" ")[0])).toEqual(["1", "2", "3", "4"]);
    expect(questions.length).toBe(1);
  });

  test("is asked about anew when something changes meanwhile", async () => {
    const { hearing, questions, told, settled, changed, ends } = listening();
    hearing.hear(eventOf(1));
    changed();
    questions[0]?.resolve();
    await settled();
    expect([told.length, questions.length]).toEqual([0, 2]);
    questions[1]?.reject(gone);
    await settled();
    expect(told).toEqual([`0 ${JSON.stringify({ type: "following_ended", ...codeOf(gone) })}`]);
    expect(ends()).toBe(1);
    hearing.hear(eventOf(2));
    expect(told.length).toBe(1);
  });

  test.each([
    ["events", 1025, ""],
    ["bytes", 3, "x".repeat(200_000)],
  ])("is so many %s and no more", async (_what, count, text) => {
    const { hearing, told, ends } = listening();
    for (let seq = 1; seq < count; seq++) hearing.hear(eventOf(seq, text));
    expect([told.length, ends()]).toEqual([0, 0]);
    hearing.hear(eventOf(count, text));
    expect(told.map((line) => line.slice(0, 60))).toEqual([
      '0 {"type":"following_ended","code":"discord_unavailable","me',
    ]);
    expect(ends()).toBe(1);
  });

  test("is dropped when nobody listens any more", async () => {
    const { hearing, questions, told, settled, ends } = listening();
    hearing.hear(eventOf(1));
    hearing.close();
    questions[0]?.resolve();
    await settled();
    expect([told, ends()]).toEqual([[], 0]);
  });
});

const codeOf = ({ code, message }: AppError) => ({ code, message });
