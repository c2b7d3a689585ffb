import { expect, test } from "bun:test";
import type { Forgotten } from "../../src/actor.ts";
import { AppError } from "../../src/errors.ts";
import { Listeners } from "../../src/listeners.ts";
import { createCallMemory, type Ended } from "../../src/mcp/idempotency.ts";
import type { McpCaller } from "../../src/mcp/ports.ts";
import { ana } from "../tools/harness.ts";

const caller: McpCaller = {
  principal: {
    kind: "token",
    tokenId: "t",
    userId: ana.userId,
    sessionId: null,
    scopes: new Set(),
    guildIds: null,
  },
  actor: ana,
  session: null,
};
const asked = ["close", {}] as const;
/** Everybody may read everything. */
const all = async () => {};
const done: Ended = { result: { content: [{ type: "text", text: "done" }] }, isFinal: true, sources: [] };

test("a change that was given up while it ran is not made again", async () => {
  const remember = createCallMemory(all);
  const controller = new AbortController();
  const running = Promise.withResolvers<Ended>();
  const exchange = { caller, signal: controller.signal };
  const first = remember("k", asked, exchange, () => running.promise);
  controller.abort(new Error("gone"));
  running.reject(controller.signal.reason);
  await first;
  let ran = 0;
  const again = { caller, signal: new AbortController().signal };
  const second = await remember("k", asked, again, async () => {
    ran++;
    return done;
  });
  expect(second).toMatchObject({
    isError: true,
    _meta: { "discord-mcp/error": { code: "outcome_unknown" } },
  });
  expect(ran).toBe(0);
});

test("two at once are one", async () => {
  const remember = createCallMemory(all);
  const exchange = { caller, signal: new AbortController().signal };
  let ran = 0;
  const call = async () => {
    ran++;
    return done;
  };
  const both = await Promise.all([
    remember("k", asked, exchange, call),
    remember("k", asked, exchange, call),
  ]);
  expect(both).toEqual([done.result, done.result]);
  expect(ran).toBe(1);
});

test("what was read from a place that is closed since is not told again, nor done again", async () => {
  const closed = new Set<string>();
  const remember = createCallMemory(async (_person, sources) => {
    if (sources.some((source) => closed.has(source))) throw new AppError("permission_denied", "withheld");
  });
  const exchange = { caller, signal: new AbortController().signal };
  let ran = 0;
  const call = async () => {
    ran++;
    return { ...done, sources: ["channel:1"] };
  };
  for (let round = 0; round < 2; round++)
    expect(await remember("k", asked, exchange, call)).toEqual(done.result);
  closed.add("channel:1");
  await expect(remember("k", asked, exchange, call)).rejects.toThrow("withheld");
  expect(ran).toBe(1);
});

test("a fault is no outcome", async () => {
  const remember = createCallMemory(all);
  const exchange = { caller, signal: new AbortController().signal };
  await expect(remember("k", asked, exchange, () => Promise.reject(new Error("oh")))).rejects.toThrow("oh");
  expect(await remember("k", asked, exchange, async () => done)).toEqual(done.result);
});

test("whoever is forgotten takes along what was remembered of their calls, and nobody else's", async () => {
  const forgotten = new Listeners<Forgotten>();
  const remember = createCallMemory(all, (listener) => forgotten.add(listener));
  const signal = new AbortController().signal;
  const ran: string[] = [];
  const call = (who: string, actor: McpCaller["actor"]) =>
    remember("k", asked, { caller: { ...caller, actor }, signal }, async () => {
      ran.push(who);
      return done;
    });
  const ben = { ...ana, userId: "200000000000000099", guildId: null };
  const everybody = async () => {
    await call("Ana", ana);
    await call("Ben", ben);
    await call("nobody", null);
  };
  await everybody();
  await everybody();
  expect(ran.splice(0)).toEqual(["Ana", "Ben", "nobody"]);
  forgotten.tell({ kind: "user", id: ben.userId });
  await everybody();
  expect(ran.splice(0)).toEqual(["Ben"]);
  forgotten.tell({ kind: "guild", id: ana.guildId ?? "" });
  await everybody();
  expect(ran).toEqual(["Ana"]);
});
