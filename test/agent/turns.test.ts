import { describe, expect, test } from "bun:test";
import { answers, toolAnswers } from "../../src/agent/answers.ts";
import { AppError } from "../../src/errors.ts";
import { text, toolUse } from "../../src/simulator/claude/reply.ts";
import { ana, door, newTurn, World } from "./harness.ts";

const discord = (id: string) => ({
  origin: "discord" as const,
  discordMessageId: id,
  replyTo: { channelId: ana.channelId, messageId: id },
});

/** Someone else, in a channel of a guild (or alone with the bot). */
const person = (userId: string, guildId: string | null = ana.guildId) => ({
  actor: { ...ana, userId, guildId },
});

describe("the queue of a conversation", () => {
  test("runs one turn after the other, in order, and remembers", async () => {
    await using world = await World.start();
    const release = world.claude.hold();
    const turns = [await world.submit("one"), await world.submit("two"), await world.submit("three")];
    await world.claude.waitForRequest(() => true);
    expect(world.service.stats()).toEqual({ running: 1, waiting: 2 });
    expect(world.claude.requests).toHaveLength(1);
    world.claude.script("first", "second", "third");
    release();
    const ended = await Promise.all(turns.map((turn) => world.service.wait(turn.id)));
    expect(ended.map(({ turn }) => turn.answer)).toEqual(["first", "second", "third"]);
    expect(world.prompts[2]?.messages).toHaveLength(5);
    expect(world.service.stats()).toEqual({ running: 0, waiting: 0 });
  });

  test("is bounded, and says so", async () => {
    await using world = await World.start({ env: { TURN_QUEUE: "2" } });
    const release = world.claude.hold();
    await world.submit("one");
    await world.claude.waitForRequest(() => true);
    await world.submit("two");
    await world.submit("three");
    expect(await world.service.submit(newTurn("four"))).toEqual({
      status: "queue_full",
      of: "conversation",
      waiting: 2,
    });
    expect(await world.service.submit(newTurn("elsewhere", person("101")))).toMatchObject({
      status: "accepted",
    });
    release();
  });

  test("is bounded for each person and each server, who still find what was accepted, and have room again", async () => {
    await using world = await World.start({
      env: { TURN_QUEUE_USER: "2", TURN_QUEUE_GUILD: "3", TURNS_CONCURRENT: "1" },
    });
    const release = world.claude.hold();
    const at = (userId: string, channelId: string, guildId: string | null = "7") => ({
      actor: { kind: "user", userId, channelId, guildId } as const,
    });
    const first = await world.submit("runs", at("1", "10"));
    await world.claude.waitForRequest(() => true);
    const burst = ["11", "12", "13"].map((channel, n) =>
      world.service.submit(newTurn("burst", { ...at("1", channel), idempotencyKey: `k${n}` })),
    );
    const [known, , refused] = await Promise.all(burst);
    expect(refused).toEqual({ status: "queue_full", of: "person", waiting: 2 });
    const again = await world.service.submit(newTurn("burst", { ...at("1", "11"), idempotencyKey: "k0" }));
    if (known?.status !== "accepted") throw new Error("it was not accepted");
    expect(again).toMatchObject({ status: "duplicate", turn: { id: known.turn.id } });
    await world.submit("another's", at("2", "10"));
    expect(await world.service.submit(newTurn("one too many", at("3", "10")))).toEqual({
      status: "queue_full",
      of: "server",
      waiting: 3,
    });
    const direct = await world.submit("elsewhere", at("3", "30", null));
    expect(world.service.stats()).toEqual({ running: 1, waiting: 4 });
    release();
    await Promise.all([first, direct, known.turn].map((turn) => world.service.wait(turn.id)));
    await world.ask("room again", at("1", "14"));
  });

  test("is bounded in all, whoever comes", async () => {
    await using world = await World.start({ env: { TURN_QUEUE_TOTAL: "3", TURNS_CONCURRENT: "1" } });
    const release = world.claude.hold();
    const from = (n: number) => ({
      actor: {
        kind: "user",
        userId: `${n}`,
        channelId: `${10 + n}`,
        guildId: n % 2 === 0 ? `${100 + n}` : null,
      } as const,
    });
    const running = await world.submit("runs", from(0));
    await world.claude.waitForRequest(() => true);
    const waiting = await Promise.all([1, 2, 3].map((n) => world.submit("waits", from(n))));
    for (const n of [4, 5])
      expect(await world.service.submit(newTurn("one too many", from(n)))).toEqual({
        ...{ status: "queue_full", of: "service", waiting: 3 },
      });
    release();
    await Promise.all([running, ...waiting].map((turn) => world.service.wait(turn.id)));
    await world.ask("room again", from(4));
  });

  test("knows a message that was delivered twice", async () => {
    await using world = await World.start();
    const turn = await world.ask("once", discord("1"));
    const again = await world.service.submit(newTurn("once", discord("1")));
    expect(again).toMatchObject({ status: "duplicate", turn: { id: turn.id, answer: turn.answer } });
    expect(world.claude.requests).toHaveLength(1);
  });

  test("lets a waiting message be edited and removed", async () => {
    await using world = await World.start();
    const release = world.claude.hold();
    const first = await world.submit("one", discord("1"));
    await world.claude.waitForRequest(() => true);
    const second = await world.submit("two", discord("2"));
    const third = await world.submit("three", discord("3"));
    const ended: string[] = [];
    world.service.onEnded((turn) => ended.push(`${turn.id} ${turn.state}`));
    expect(await world.service.editQueued("1", "too late")).toBe(false);
    expect(await world.service.editQueued("2", "two, better")).toBe(true);
    expect(await world.service.removeQueued("3")).toBe(true);
    expect(await world.service.removeQueued("3")).toBe(false);
    expect(world.events.find((event) => event.turnId === third.id)).toMatchObject({
      type: "turn_failed",
      code: "cancelled",
    });
    release();
    await world.service.wait(second.id);
    expect(world.prompts[1]?.messages.at(-1)?.content).toMatchObject([{}, { text: "two, better" }]);
    expect(ended).toEqual([`${third.id} cancelled`, `${first.id} done`, `${second.id} done`]);
  });

  test("runs conversations side by side, up to a bound", async () => {
    await using world = await World.start({ env: { TURNS_CONCURRENT: "2" } });
    const release = world.claude.hold();
    const turns = await Promise.all(["1", "2", "3"].map((id) => world.submit("hi", person(id))));
    const seen = await Promise.all(
      [0, 1].map((n) => world.claude.waitForRequest((request) => request === world.claude.requests[n])),
    );
    expect(seen).toHaveLength(2);
    expect(world.service.stats()).toEqual({ running: 2, waiting: 1 });
    release();
    for (const turn of turns) expect((await world.service.wait(turn.id)).turn.state).toBe("done");
  });

  test("serves guilds in turn, so that a busy one does not hold up the others", async () => {
    await using world = await World.start({ env: { TURNS_CONCURRENT: "1" } });
    const order: string[] = [];
    world.service.onRunning((turn) => order.push(turn.actor.guildId ?? "direct"));
    const release = world.claude.hold();
    const turns = [];
    for (let n = 0; n < 5; n++) turns.push(await world.submit("busy", person(`20${n}`, "900")));
    turns.push(await world.submit("quiet", person("300", "901")));
    turns.push(await world.submit("alone", person("301", null)));
    release();
    await Promise.all(turns.map((turn) => world.service.wait(turn.id)));
    expect(order).toEqual(["900", "900", "901", "direct", "900", "900", "900"]);
  });
});

describe("stopping", () => {
  test("a turn while the model speaks ends it with an answer, and the history stays whole", async () => {
    await using world = await World.start();
    world.claude.script("a reply of some length, in several pieces", "And on we go.");
    world.claude.faults.stallStreamAfter(4);
    const turn = await world.submit("go");
    await world.event((event) => event.type === "text_delta");
    expect(await world.service.cancel(turn.conversationId)).toEqual({ stopped: [turn.id], removed: [] });
    expect((await world.service.wait(turn.id)).turn).toMatchObject({
      state: "cancelled",
      answer: answers.stopped,
      errorCode: "cancelled",
    });
    expect(world.events.at(-1)).toMatchObject({ type: "turn_failed", code: "cancelled" });
    await world.ask("hello again");
    expect(world.prompts[1]?.messages[1]).toMatchObject({
      role: "assistant",
      content: [{ text: answers.stopped }],
    });
  });

  test("a turn while tools run: what changes something is unknown, and the person is told", async () => {
    const at = door();
    const forever = new Promise<string>(() => {});
    let running = 0;
    const hang = async () => {
      running += 1;
      if (running === 2) at.open();
      return forever;
    };
    await using world = await World.start({
      tools: { read: { run: hang }, write: { repeatable: false, run: hang } },
    });
    world.claude.script([text("Doing it."), toolUse("read", {}), toolUse("write", {})], "ok");
    const turn = await world.submit("go");
    await at.opened;
    await world.service.cancel(turn.conversationId, turn.id);
    const { answer } = (await world.service.wait(turn.id)).turn;
    expect(answer).toStartWith("Doing it.\n\nStopped.");
    await world.ask("what happened?");
    expect(world.prompts[1]?.messages[2]?.content).toMatchObject([
      { content: toolAnswers.stopped, is_error: true },
      { content: toolAnswers.stoppedUnknown, is_error: true },
    ]);
  });

  test("all that waits, or one of it", async () => {
    await using world = await World.start();
    const release = world.claude.hold();
    const [first, second, third, fourth] = [
      await world.submit("one"),
      await world.submit("two"),
      await world.submit("three"),
      await world.submit("four"),
    ];
    await world.claude.waitForRequest(() => true);
    const { conversationId } = first;
    expect(await world.service.cancel("another", second.id)).toEqual({ stopped: [], removed: [] });
    expect(await world.service.cancel(conversationId, second.id)).toEqual({
      stopped: [],
      removed: [second.id],
    });
    expect(await world.service.cancel(conversationId)).toEqual({
      stopped: [first.id],
      removed: [third.id, fourth.id],
    });
    for (const turn of [first, second, third, fourth]) {
      const { turn: ended } = await world.service.wait(turn.id);
      expect(ended.state).toBe("cancelled");
      expect(ended.answer).not.toBeEmpty();
    }
    release();
    expect(await world.ask("and now")).toMatchObject({ state: "done" });
    expect(await world.service.cancel(conversationId)).toEqual({ stopped: [], removed: [] });
  });

  test("for a reset: nothing of before is replayed, and what comes meanwhile is of the new epoch", async () => {
    await using world = await World.start();
    await world.ask("my name is Ana");
    world.claude.faults.hang();
    const running = await world.submit("old");
    await world.claude.waitForRequest((request) => request === world.claude.requests[1]);
    const reset = world.service.reset(ana.userId, ana.channelId, ana.guildId);
    const after = await world.submit("new");
    await reset;
    expect((await world.service.wait(running.id)).turn.state).toBe("cancelled");
    await world.service.wait(after.id);
    expect(world.prompts.at(-1)?.messages).toHaveLength(1);
    await world.service.reset("never", "seen", null);
  });
});

describe("waiting for a turn", () => {
  test("ends at once when it has ended, and with the signal's reason", async () => {
    await using world = await World.start();
    const turn = await world.ask("hello");
    expect((await world.service.wait(turn.id)).turn).toEqual(turn);
    const hold = world.claude.hold();
    const next = await world.submit("again");
    const abort = new AbortController();
    const waiting = world.service.wait(next.id, abort.signal);
    abort.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    await expect(world.service.wait(next.id, abort.signal)).rejects.toThrow("gone");
    await expect(world.service.wait("no such turn")).rejects.toMatchObject({ code: "turn_not_found" });
    hold();
    expect((await world.service.wait(next.id)).turn.state).toBe("done");
  });

  test("a listener that fails keeps nobody from hearing", async () => {
    await using world = await World.start();
    const heard: string[] = [];
    world.service.onEnded(() => {
      throw new Error("a fault");
    });
    const off = world.service.onEnded((turn) => heard.push(turn.id));
    const turn = await world.ask("hello");
    off();
    await world.ask("again");
    expect(heard).toEqual([turn.id]);
  });
});

describe("failures", () => {
  test("of the model end the turn with a sentence, after what was said before", async () => {
    await using world = await World.start({ tools: { look: { run: async () => "found" } } });
    world.claude.script([text("Let me look."), toolUse("look", {})], "not reached");
    const turn = await world.submit("go");
    await world.claude.waitForRequest(() => true);
    world.claude.faults.next({ status: 401 });
    const { turn: ended } = await world.service.wait(turn.id);
    expect(ended).toMatchObject({ state: "failed", errorCode: "model_unavailable" });
    expect(ended.answer).toMatch(/^Let me look\.\n\nClaude does not accept our key/);
    expect(world.events.at(-1)).toMatchObject({ type: "turn_failed", code: "model_unavailable" });
    expect(await world.ask("again")).toMatchObject({ state: "done" });
  });

  test("a stream that breaks is told to whoever listens", async () => {
    await using world = await World.start();
    world.claude.script("a reply of some length, in several pieces");
    world.claude.faults.errorInStream("overloaded_error", 4);
    expect((await world.ask("go")).answer).toBe("a reply of some length, in several pieces");
    const types = world.eventTypes();
    expect(types.filter((type) => type === "step_restarted")).toHaveLength(1);
    expect(types.indexOf("step_restarted")).toBeGreaterThan(types.indexOf("text_delta"));
    expect(world.waits).toEqual([500]);
  });

  test("of the journal are not shown, and do not stop the queue", async () => {
    await using world = await World.start();
    let failures = 2;
    const service = world.replaceService((journal) => ({
      ...journal,
      begin: async (turnId) => {
        if (failures-- > 0) throw new Error("SQLITE_BUSY: secret words");
        return journal.begin(turnId);
      },
    }));
    expect(await world.ask("hello")).toMatchObject({ state: "done" });
    expect(failures).toBeLessThan(0);
    expect(service.stats()).toEqual({ running: 0, waiting: 0 });
  });

  test("to store a step end the turn with an answer of ours", async () => {
    await using world = await World.start();
    world.replaceService((journal) => ({
      ...journal,
      saveStep: async () => {
        throw new Error("disk full: secret words");
      },
    }));
    const turn = await world.ask("hello");
    expect(turn).toMatchObject({ state: "failed", errorCode: "internal_error" });
    expect(turn.answer).not.toContain("secret");
  });

  test("to store the end are told to whoever waits, and the next turn runs", async () => {
    await using world = await World.start();
    let failures = 5;
    world.replaceService((journal) => ({
      ...journal,
      end: async (turnId, end) => {
        if (failures-- > 0) throw new Error("disk full");
        return journal.end(turnId, end);
      },
    }));
    const turn = await world.submit("hello");
    expect(await world.service.wait(turn.id).catch((error: unknown) => error)).toBeInstanceOf(AppError);
    expect(world.events.at(-1)).toMatchObject({ type: "turn_failed", code: "storage_unavailable" });
    expect(await world.ask("again")).toMatchObject({ state: "done" });
  });
});

describe("budgets", () => {
  test("of a person's day are spent by each turn, checked before a turn, and begin anew", async () => {
    let now = Date.UTC(2026, 10, 22, 22);
    await using world = await World.start({ env: { USER_TOKENS_PER_DAY: "100" }, now: () => now });
    expect(await world.ask("hello")).toMatchObject({ state: "done" });
    const refused = await world.ask("hello");
    expect(refused).toMatchObject({ state: "failed", errorCode: "budget_exceeded" });
    expect(refused.answer).toContain("2 hours");
    expect(await world.memory.budgets.spent("user:100", "2026-11-22")).toBeGreaterThan(100);
    expect(await world.memory.budgets.spent("guild:900", "2026-11-22")).toBeGreaterThan(100);
    expect(world.claude.requests).toHaveLength(1);
    expect(await world.ask("hello", person("101"))).toMatchObject({ state: "done" });
    now += 3 * 3_600_000;
    expect(await world.ask("hello")).toMatchObject({ state: "done" });
  });

  test("of a guild hold for all its people, and not elsewhere", async () => {
    await using world = await World.start({ env: { GUILD_TOKENS_PER_DAY: "100" } });
    await world.ask("hello");
    expect(await world.ask("hello", person("101"))).toMatchObject({ errorCode: "budget_exceeded" });
    expect(await world.ask("hello", { actor: { ...ana, guildId: null, channelId: "501" } })).toMatchObject({
      state: "done",
    });
  });
});
