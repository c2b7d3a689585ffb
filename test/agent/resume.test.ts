import { describe, expect, test } from "bun:test";
import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import fc from "fast-check";
import { answers, toolAnswers } from "../../src/agent/answers.ts";
import type { TurnRecord } from "../../src/agent/journal.ts";
import { type Reply, text, toolUse } from "../../src/simulator/claude/reply.ts";
import { dyingAt } from "./dying.ts";
import { ana, door, newTurn, type TestTool, World } from "./harness.ts";

/** Two steps with tools, then an answer: decided by what is in the messages, as a real model would. */
function brain(request: MessageCreateParams): Reply {
  const asked = request.messages.filter((message) => message.role === "assistant").length;
  if (asked === 0)
    return {
      blocks: [text("First I look."), toolUse("read", {}), toolUse("write", { n: 1 }), toolUse("read", {})],
    };
  if (asked === 1) return { blocks: [toolUse("write", { n: 2 }), toolUse("read", {})] };
  return { blocks: [text("All done.")] };
}

/** begin, 3 × (running, ended) and 2 × (running, ended) around 3 steps, end. */
const writesOfATurn = 1 + 3 + 2 * 5 + 1;

describe("a turn whose process is killed", () => {
  const cuts = Array.from({ length: writesOfATurn }, (_, n) => n + 1).flatMap((write) => [
    [write, "before"] as const,
    [write, "after"] as const,
  ]);
  test.each(cuts)(
    "at its write %d, %s it: goes on, loses nothing and repeats nothing",
    async (write, when) => {
      const runs = new Map<string, number>();
      const counted = (repeatable: boolean): TestTool => ({
        repeatable,
        run: async ({ toolUseId, toolName }) => {
          runs.set(`${toolName} ${toolUseId}`, (runs.get(`${toolName} ${toolUseId}`) ?? 0) + 1);
          return "result";
        },
      });
      await using world = await World.start({
        tools: { read: counted(true), write: counted(false) },
        claude: { brain },
      });
      const dead = door();
      world.replaceService((journal) => dyingAt(journal, write, when, dead.open));
      const turn = await world.submit("go");
      await dead.opened;

      const stored = (await world.memory.turns.steps(turn.id)).length;
      const asked = world.claude.requests.length;
      const before = await world.memory.turns.get(turn.id);
      world.replaceService();
      await world.service.resume();
      const { turn: ended } = await world.service.wait(turn.id);

      const lost = await lostWrites(world, turn);
      expect(ended.state).toBe("done");
      expect(ended.starts).toBe(before?.state === "done" ? 1 : before?.state === "queued" ? 1 : 2);
      expect(ended.answer).toStartWith("First I look.\n\nAll done.");
      expect(ended.answer?.includes("Please check")).toBe(lost > 0);
      // A stored step is not asked for again.
      expect(world.claude.requests.length - asked).toBe(before?.state === "done" ? 0 : 3 - stored);
      for (const [call, times] of runs) {
        if (call.startsWith("write")) expect(`${call}: ${times}`).toBe(`${call}: 1`);
        else expect(times).toBeLessThanOrEqual(2);
      }
      const next = await world.ask("and then?");
      expect(next.state).toBe("done");
      const params = world.prompts.at(-1);
      expect(params?.messages.filter((message) => message.role === "assistant")).toHaveLength(3);
    },
  );

  /** Calls of the turn whose outcome is unknown. */
  async function lostWrites(world: World, turn: TurnRecord): Promise<number> {
    const steps = await world.memory.turns.steps(turn.id);
    return steps.flatMap((step) => step.toolCalls).filter((call) => call.state === "unknown").length;
  }

  test("while a tool runs: a reading one runs again, a changing one is unknown and the model is told", async () => {
    const started = door();
    let running = 0;
    let hang = true;
    const run = async () => {
      running += 1;
      if (running === 2) started.open();
      return hang ? new Promise<string>(() => {}) : "read again";
    };
    await using world = await World.start({
      tools: { read: { repeatable: true, run }, write: { repeatable: false, run } },
    });
    world.claude.script([toolUse("read", {}), toolUse("write", {})], "I can't tell.");
    const turn = await world.submit("go");
    await started.opened;
    hang = false;
    world.replaceService();
    await world.service.resume();
    const { turn: ended } = await world.service.wait(turn.id);
    expect(running).toBe(3);
    expect(world.prompts[1]?.messages.at(-1)?.content).toMatchObject([
      { content: "read again" },
      { content: toolAnswers.interrupted, is_error: true },
    ]);
    expect(ended.answer).toContain("`write` was interrupted");
    const finished = world.events.filter((event) => event.type === "tool_finished");
    expect(finished.find((event) => event.toolName === "write")).toMatchObject({ outcome: "unknown" });
  });

  test("any number of times, at any place: it is answered in the end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom("before" as const, "after" as const)),
          {
            maxLength: 5,
          },
        ),
        async (kills) => {
          const writes: string[] = [];
          await using world = await World.start({
            tools: {
              read: { run: async () => "result" },
              write: {
                repeatable: false,
                run: async ({ toolUseId }) => {
                  writes.push(toolUseId);
                  return "written";
                },
              },
            },
            claude: { brain },
          });
          let id: string | null = null;
          for (const [write, when] of kills) {
            const dead = door();
            const over = door();
            world.replaceService((journal) => dyingAt(journal, write, when, dead.open));
            world.service.onEnded(() => over.open());
            if (id === null) id = (await world.submit("go")).id;
            else await world.service.resume();
            const { state } = (await world.memory.turns.get(id)) ?? { state: "queued" };
            if (state === "queued" || state === "running") await Promise.race([dead.opened, over.opened]);
          }
          world.replaceService();
          id ??= (await world.submit("go")).id;
          await world.service.resume();
          const { turn } = await world.service.wait(id);
          expect(["done", "failed"]).toContain(turn.state);
          expect(turn.answer).not.toBeEmpty();
          if (turn.state === "failed") expect(turn.starts).toBeGreaterThan(4);
          expect(new Set(writes).size).toBe(writes.length);
          expect((await world.ask("still there?")).state).toBe("done");
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe("a turn that is taken up", () => {
  test("too often is answered and not run", async () => {
    await using world = await World.start();
    world.claude.faults.hang();
    const turn = await world.submit("poison");
    for (let n = 0; n < 4; n++) await world.memory.turns.begin(turn.id);
    world.replaceService();
    await world.service.resume();
    expect((await world.service.wait(turn.id)).turn).toMatchObject({
      state: "failed",
      errorCode: "turn_failed",
      answer: answers.tooOften,
    });
  });

  test("after more than an hour is answered and not run", async () => {
    let now = 1_800_000_000_000;
    await using world = await World.start({ now: () => now });
    const result = await world.memory.turns.accept(newTurn("hello"), 8);
    if (result.status !== "accepted") throw new Error(result.status);
    now += 61 * 60_000;
    await world.service.resume();
    expect((await world.service.wait(result.turn.id)).turn.answer).toBe(answers.tooOld);
    expect(world.claude.requests).toHaveLength(0);
    expect(await world.ask("hello again")).toMatchObject({ state: "done" });
  });

  test("keeps its place before those that waited", async () => {
    await using world = await World.start();
    const ids: string[] = [];
    for (const words of ["one", "two", "three"]) {
      const result = await world.memory.turns.accept(newTurn(words), 8);
      if (result.status === "accepted") ids.push(result.turn.id);
    }
    await world.memory.turns.begin(ids[0] ?? "");
    const order: string[] = [];
    world.service.onRunning((turn) => order.push(turn.text));
    await world.service.resume();
    await Promise.all(ids.map((id) => world.service.wait(id)));
    expect(order).toEqual(["one", "two", "three"]);
  });

  test("can be cancelled before it has been", async () => {
    await using world = await World.start({ env: { TURNS_CONCURRENT: "1" } });
    const release = world.claude.hold();
    await world.submit("busy", { actor: { ...ana, userId: "101" } });
    const result = await world.memory.turns.accept(newTurn("one"), 8);
    if (result.status !== "accepted") throw new Error(result.status);
    await world.memory.turns.begin(result.turn.id);
    await world.service.resume();
    const { id, conversationId } = result.turn;
    expect(await world.service.cancel(conversationId)).toEqual({ stopped: [], removed: [id] });
    expect((await world.service.wait(id)).turn.answer).toBe(answers.stopped);
    release();
  });

  test("tells what had been said before", async () => {
    await using world = await World.start({ tools: { look: { run: async () => "seen" } } });
    world.claude.script([text("Let me look."), toolUse("look", {})], "There.");
    const dead = door();
    world.replaceService((journal) => dyingAt(journal, 2, "after", dead.open));
    const turn = await world.submit("go");
    await dead.opened;
    world.events.length = 0;
    world.replaceService();
    await world.service.resume();
    await world.service.wait(turn.id);
    expect(world.events.slice(0, 2)).toMatchObject([
      { type: "turn_started" },
      { type: "text_delta", step: 1, text: "Let me look." },
    ]);
  });
});

describe("a drain", () => {
  test("takes no more, lets what runs finish, and leaves what waits to the next process", async () => {
    const bound = door();
    await using world = await World.start({
      delay: (_ms, signal) =>
        new Promise((resolve, reject) => {
          bound.opened.then(resolve);
          signal?.addEventListener("abort", () => reject(signal.reason));
        }),
    });
    const release = world.claude.hold();
    const first = await world.submit("one");
    const second = await world.submit("two");
    await world.claude.waitForRequest(() => true);
    const waiting = world.service.wait(second.id).catch((error: unknown) => error);
    const drained = world.service.drain(20_000);
    await expect(world.service.submit(newTurn("three"))).rejects.toMatchObject({ code: "shutting_down" });
    release();
    await drained;
    expect((await world.memory.turns.get(first.id))?.state).toBe("done");
    expect((await world.memory.turns.get(second.id))?.state).toBe("queued");
    expect(await waiting).toMatchObject({ code: "shutting_down" });
    await expect(world.service.wait(second.id)).rejects.toMatchObject({ code: "shutting_down" });
    world.replaceService();
    await world.service.resume();
    expect((await world.service.wait(second.id)).turn).toMatchObject({ state: "done", starts: 1 });
  });

  test("hands over what does not finish in time, without counting it as a failure of the turn", async () => {
    await using world = await World.start();
    world.claude.faults.hang();
    const turn = await world.submit("one");
    await world.claude.waitForRequest(() => true);
    await world.service.drain(0);
    expect(await world.memory.turns.get(turn.id)).toMatchObject({
      state: "running",
      starts: 0,
      answer: null,
    });
    expect(world.eventTypes(turn.id)).toEqual(["turn_started"]);
    await world.restart();
    await world.service.resume();
    expect((await world.service.wait(turn.id)).turn).toMatchObject({ state: "done", starts: 1 });
  });

  test("is hurried by a second one", async () => {
    const never = new Promise<void>(() => {});
    await using world = await World.start({
      delay: (_ms, signal) =>
        Promise.race([
          never,
          new Promise<void>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
        ]),
    });
    world.claude.faults.hang();
    const turn = await world.submit("one");
    await world.claude.waitForRequest(() => true);
    const patient = world.service.drain(20_000);
    await world.service.drain(0);
    await patient;
    expect((await world.memory.turns.get(turn.id))?.state).toBe("running");
  });
});
