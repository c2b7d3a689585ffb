import { expect, test } from "bun:test";
import fc from "fast-check";
import type { HistoryTurn } from "../../src/agent/ports.ts";
import type { Memory } from "../../src/memory/memory.ts";
import { accept, done, folder, usage } from "./helpers.ts";

/** What can happen to one of a few conversations; `pick` chooses among what is there. */
const operation = fc.record({
  what: fc.constantFrom(
    "accept",
    "begin",
    "step",
    "running",
    "ended",
    "end",
    "yield",
    "reset",
    "cancel",
    "summary",
    "prefer",
    "retention",
    "load",
  ),
  user: fc.constantFrom("1", "2"),
  pick: fc.nat(20),
  calls: fc.nat(3),
  text: fc.string({ maxLength: 12 }),
});
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface World {
  readonly memory: Memory;
  readonly ids: string[];
  readonly clock: () => number;
}

async function apply(world: World, { what, user, pick, calls, text }: Operation): Promise<void> {
  const { turns, history, preferences } = world.memory;
  const conversationId = await turns.conversationId(user, "200", "300");
  const id = world.ids[pick % Math.max(1, world.ids.length)] ?? "";
  const turn = await turns.get(id);
  switch (what) {
    case "accept":
      world.ids.push((await accept(world.memory, { userId: user, text, preamble: text })).id);
      return;
    case "begin":
      await turns.begin(id);
      return;
    case "step": {
      if (turn?.state !== "running") return;
      const step = (await turns.steps(id)).length;
      const uses = Array.from({ length: calls }, (_, i) => `${step}-${i}`);
      const content = [
        ...(text.trim() === "" ? [] : [{ type: "text" as const, text }]),
        ...uses.map((use) => ({ type: "tool_use" as const, id: use, name: "tool", input: {} })),
      ];
      await turns.saveStep(id, { step, content, stopReason: "x", usage, model: "m", sources: [] });
      return;
    }
    case "running":
    case "ended": {
      if (turn === null) return;
      const all = (await turns.steps(id)).flatMap((step) => step.toolCalls.map((call) => ({ step, call })));
      const chosen = all[pick % Math.max(1, all.length)];
      if (chosen === undefined) return;
      const toolUseId = chosen.call.toolUseId;
      if (what === "running") return turns.toolRunning(id, chosen.step.step, toolUseId);
      const result = { type: "tool_result" as const, tool_use_id: toolUseId, content: text };
      const end = { state: "done" as const, result, sources: [`channel:${pick}`] };
      return turns.toolEnded(id, chosen.step.step, toolUseId, end);
    }
    case "end":
      if (turn === null) return;
      return turns.end(id, done({ answer: "answer", closingText: pick % 3 === 0 ? "closing" : null }));
    case "yield":
      return turns.yield(id);
    case "reset":
      await turns.reset(user, "200", null);
      return;
    case "cancel":
      if (conversationId !== null) await turns.cancelQueued(conversationId);
      return;
    case "summary": {
      if (turn === null || turn.answer === null) return;
      const summary = { text, uptoTurnId: id, sources: [] };
      return history.saveSummary(turn.conversationId, turn.epoch, summary);
    }
    case "prefer":
      return preferences.set(user, { name: text });
    case "retention":
      if (pick === 0) await world.memory.removeOlderThan(world.clock() - 40, world.clock() - 40);
      return;
    case "load":
      await preferences.get(user);
      if (conversationId !== null) await history.load(conversationId, calls);
  }
}

/** What the Messages API asks of a history. */
function expectReplayable({ messages }: HistoryTurn): void {
  expect(messages[0]?.role).toBe("user");
  expect(messages.at(-1)?.role).toBe("assistant");
  messages.forEach(({ role, content }, i) => {
    expect(role).toBe(i % 2 === 0 ? "user" : "assistant");
    if (!Array.isArray(content)) throw new Error("content is stored as blocks");
    expect(content.length).toBeGreaterThan(0);
    for (const block of content) if (block.type === "text") expect(block.text.trim()).not.toBe("");
    const uses = content.flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
    const next = messages[i + 1]?.content ?? [];
    const results = Array.isArray(next)
      ? next.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []))
      : [];
    if (role === "assistant") expect(results).toEqual(uses);
  });
}

test("after any operations: the cache says what the file says, every history can be replayed, and no byte of it changes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 60 }), async (operations) => {
      using at = folder();
      let time = 0;
      using cached = at.open({ now: () => ++time });
      const world: World = { memory: cached, ids: [], clock: () => time };
      using fresh = at.open({ cacheBytes: 0 });
      const before = new Map<string, string>();
      for (const next of operations) {
        await apply(world, next);
        for (const user of ["1", "2"]) {
          expect(await cached.preferences.get(user)).toEqual(await fresh.preferences.get(user));
          const id = await fresh.turns.conversationId(user, "200", "300");
          if (id === null) continue;
          for (let epoch = 0; epoch < 3; epoch++) {
            const history = await cached.history.load(id, epoch);
            expect(history).toEqual(await fresh.history.load(id, epoch));
            for (const turn of history.turns) {
              const bytes = JSON.stringify(turn);
              expect(bytes).toBe(before.get(turn.turnId) ?? bytes);
              if (!before.has(turn.turnId)) expectReplayable(turn);
              before.set(turn.turnId, bytes);
            }
          }
        }
      }
    }),
    { numRuns: 40 },
  );
});

test("a cache too small for all of it is as right", async () => {
  using at = folder();
  using small = at.open({ cacheBytes: 20_000 });
  using fresh = at.open({ cacheBytes: 0 });
  for (let i = 0; i < 60; i++) {
    const turn = await accept(small, { userId: String(i % 7), text: "x".repeat(200) });
    await small.turns.end(turn.id, done());
    expect(await small.history.load(turn.conversationId, 0)).toEqual(
      await fresh.history.load(turn.conversationId, 0),
    );
  }
});

test("what another process has written is seen at once", async () => {
  using at = folder();
  using here = at.open();
  using there = at.open();
  await here.preferences.set("1", { tone: "dry" });
  await there.preferences.set("1", { tone: "warm" });
  expect(await here.preferences.get("1")).toEqual({ tone: "warm" });
});
