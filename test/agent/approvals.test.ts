import { describe, expect, test } from "bun:test";
import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import { answers, toolAnswers } from "../../src/agent/answers.ts";
import type { NewApproval } from "../../src/agent/approvals.ts";
import type { TurnRecord } from "../../src/agent/journal.ts";
import type { ToolCallRequest } from "../../src/agent/ports.ts";
import { AppError } from "../../src/errors.ts";
import { type Reply, text, toolUse } from "../../src/simulator/claude/reply.ts";
import { dyingAt } from "./dying.ts";
import { ana, door, newTurn, question, type TestTool, World } from "./harness.ts";

const inDiscord = (id: string) => ({
  origin: "discord" as const,
  discordMessageId: id,
  replyTo: { channelId: ana.channelId, messageId: id },
});
const signal = new AbortController().signal;
const quarter = 15 * 60_000;

/** A tool that asks first, and runs with a yes to what it is about by then. */
function asking(
  over: { ran?: (request: ToolCallRequest) => void; target?: () => string; publicText?: string } = {},
): TestTool {
  const { ran = () => {}, target = () => "bo", publicText = null } = over;
  return {
    repeatable: false,
    run: async (request) => {
      const fingerprint = target();
      if (request.approval?.fingerprint !== fingerprint)
        return { kind: "asked", question: { text: `Ban @${fingerprint}?`, publicText, fingerprint } };
      ran(request);
      return "banned";
    },
  };
}

const stateOf = async (world: World, { id }: Pick<TurnRecord, "id">) =>
  (await world.memory.turns.get(id))?.state;
const results = (world: World, prompt = -1) => world.prompts.at(prompt)?.messages.at(-1)?.content;

describe("a call that asks", () => {
  test("leaves its turn suspended, and runs with the yes that it gets", async () => {
    const ran: ToolCallRequest[] = [];
    await using world = await World.start({
      tools: { ban: asking({ ran: (request) => ran.push(request) }) },
    });
    const heard: string[] = [];
    world.service.onApproval(({ state }) => heard.push(state));
    world.claude.script([text("I ask first."), toolUse("ban", { user: "bo" })], "Bo is banned.");
    const turn = await world.submit("ban bo", inDiscord("1"));
    const waiting = world.service.wait(turn.id);
    const asked = await question(world);
    expect(asked).toMatchObject({
      kind: "tool",
      turnId: turn.id,
      sessionId: "s1",
      actor: ana,
      step: 1,
      toolName: "ban",
      input: { user: "bo" },
      question: { text: "Ban @bo?", fingerprint: "bo" },
      askIn: "channel",
      state: "pending",
    });
    expect(asked.expiresAt - asked.createdAt).toBeGreaterThan(quarter - 5000);
    expect(await stateOf(world, turn)).toBe("suspended");
    expect(world.eventTypes()).not.toContain("tool_finished");
    const decided = await world.service.decide(asked.id, true, ana.userId, signal);
    expect(decided).toMatchObject({ id: asked.id, state: "approved", decidedBy: ana.userId });
    const { turn: ended } = await waiting;
    expect(ended).toMatchObject({ state: "done", answer: "I ask first.\n\nBo is banned.", starts: 1 });
    expect(ran).toHaveLength(1);
    expect(ran[0]?.approval).toEqual({ approvalId: asked.id, fingerprint: "bo", approvedBy: ana.userId });
    expect(heard).toEqual(["pending", "approved"]);
    expect(world.service.stats()).toEqual({ running: 0, waiting: 0 });
    const types = world.eventTypes(turn.id).filter((type) => type !== "text_delta");
    expect(types).toEqual([
      "turn_started",
      "tool_started",
      "approval_requested",
      "approval_decided",
      "turn_started",
      "step_restarted",
      "tool_started",
      "tool_finished",
      "turn_finished",
    ]);
  });

  test("waits for the others of its step, and the turn for all its questions", async () => {
    const ran: ToolCallRequest[] = [];
    const look = door();
    await using world = await World.start({
      tools: {
        ban: asking({ ran: (request) => ran.push(request) }),
        look: { run: () => look.opened.then(() => ({ text: "seen", sources: ["channel:1"] })) },
      },
    });
    world.claude.script([toolUse("ban", { n: 1 }), toolUse("look", {}), toolUse("ban", { n: 2 })], "Half.");
    const turn = await world.submit("go");
    await world.event((event) => event.type === "tool_started" && event.toolName === "look");
    expect(await stateOf(world, turn)).toBe("running");
    look.open();
    const [first, second] = [await question(world, 1), await question(world, 2)];
    expect(first.askIn).toBe("none");
    await world.service.decide(first.id, false, ana.userId, signal);
    expect(await stateOf(world, turn)).toBe("suspended");
    await world.service.decide(second.id, true, ana.userId, signal);
    await world.service.wait(turn.id);
    expect(ran.map(({ input }) => input)).toEqual([{ n: 2 }]);
    expect(results(world)).toMatchObject([
      { is_error: true, content: expect.stringContaining("said no") },
      { content: "seen" },
      { content: "banned" },
    ]);
    // The look ran beside the bans, so that their arguments cannot rest on it.
    expect(ran[0]?.sources).toEqual([]);
  });

  test("is told who said no, or that nobody answered in time, and does not run", async () => {
    let now = 1_800_000_000_000;
    const ran: ToolCallRequest[] = [];
    await using world = await World.start({
      tools: { ban: asking({ ran: (request) => ran.push(request) }) },
      now: () => now,
    });
    world.claude.script([toolUse("ban", {})], "Not done.", [toolUse("ban", {})], "Not done either.");
    const denied = await world.submit("ban bo");
    await world.service.decide((await question(world)).id, false, "777", signal);
    await world.service.wait(denied.id);
    expect(results(world)).toMatchObject([
      { is_error: true, content: expect.stringContaining("<@777> was asked") },
    ]);
    const expired = await world.submit("ban bo");
    const asked = await question(world, 2);
    now += quarter - 1;
    expect(await world.service.expireApprovals()).toBe(0);
    now += 1;
    await expect(world.service.decide(asked.id, true, ana.userId, signal)).rejects.toThrow("expired");
    expect(await world.service.expireApprovals()).toBe(1);
    expect((await world.service.wait(expired.id)).turn.answer).toBe("Not done either.");
    expect(results(world)).toMatchObject([
      { is_error: true, content: expect.stringContaining("within 15 minutes") },
    ]);
    expect(
      world.events.find((event) => event.type === "approval_decided" && event.state === "expired"),
    ).toEqual({
      type: "approval_decided",
      turnId: expired.id,
      approvalId: asked.id,
      state: "expired",
      decidedBy: null,
    });
    expect(ran).toEqual([]);
  });

  test("asks anew when what it is about has changed meanwhile", async () => {
    let target = "bo";
    const ran: ToolCallRequest[] = [];
    await using world = await World.start({
      tools: { ban: asking({ target: () => target, ran: (request) => ran.push(request) }) },
    });
    world.claude.script([toolUse("ban", {})], "Done.");
    const turn = await world.submit("go");
    const first = await question(world);
    target = "bo, now a moderator";
    await world.service.decide(first.id, true, ana.userId, signal);
    const second = await question(world, 2);
    expect(second.question.text).toContain("moderator");
    expect(ran).toEqual([]);
    await world.service.decide(second.id, true, ana.userId, signal);
    expect((await world.service.wait(turn.id)).turn.state).toBe("done");
    expect(ran.map(({ approval }) => approval?.approvalId)).toEqual([second.id]);
  });

  test("is refused beyond eight questions of a turn", async () => {
    await using world = await World.start({ tools: { ban: asking() } });
    const calls = Array.from({ length: 10 }, (_, n) => toolUse("ban", { n }));
    world.claude.script(calls, [toolUse("ban", { n: 10 })], "Enough.");
    const turn = await world.submit("go");
    await question(world, 8);
    const approvals = await world.memory.turns.approvals(turn.id);
    expect(approvals.map(({ input }) => input)).toEqual(Array.from({ length: 8 }, (_, n) => ({ n })));
    for (const { id } of approvals) await world.service.decide(id, true, ana.userId, signal);
    await world.service.wait(turn.id);
    const [second, third] = [results(world, 1), results(world, 2)];
    expect(Array.isArray(second) ? second.slice(7) : []).toMatchObject([
      { content: "banned" },
      { is_error: true, content: toolAnswers.tooManyQuestions },
      { is_error: true, content: toolAnswers.tooManyQuestions },
    ]);
    expect(third).toMatchObject([{ content: toolAnswers.tooManyQuestions }]);
  });

  test("asks in private where the question itself is not for everybody", async () => {
    await using world = await World.start({ tools: { ban: asking({ publicText: "Ban somebody?" }) } });
    world.claude.script([toolUse("ban", {})], "ok");
    await world.submit("go", inDiscord("1"));
    expect((await question(world)).askIn).toBe("direct");
    expect(await world.memory.outbox.unasked(5)).toMatchObject([{ askIn: "direct", replyToMessageId: "1" }]);
  });
});

describe("deciding", () => {
  test("is for those who may, checked in their own name; a no of one's own needs no right", async () => {
    const checked: unknown[] = [];
    await using world = await World.start({
      tools: { ban: asking() },
      mayApprove: async (approval, actor) => {
        checked.push([approval.toolName, actor]);
        if (actor.userId !== "moderator") throw new AppError("permission_denied", "@x cannot Ban Members.");
      },
    });
    world.claude.script([toolUse("ban", {})], "ok", [toolUse("ban", {})], "ok");
    const byBot = { actor: { ...ana, kind: "bot" as const } };
    const turn = await world.submit("go", byBot);
    const asked = await question(world);
    const decide = (approved: boolean, by: string) => world.service.decide(asked.id, approved, by, signal);
    await expect(decide(true, ana.userId)).rejects.toThrow("cannot Ban");
    await expect(decide(true, "stranger")).rejects.toMatchObject({ code: "permission_denied" });
    await expect(decide(false, "stranger")).rejects.toMatchObject({ code: "permission_denied" });
    expect(await stateOf(world, turn)).toBe("suspended");
    await decide(true, "moderator");
    expect(checked).toEqual([
      ["ban", { ...ana, kind: "bot" }],
      ["ban", { ...ana, kind: "user", userId: "stranger" }],
      ["ban", { ...ana, kind: "user", userId: "stranger" }],
      ["ban", { ...ana, kind: "user", userId: "moderator" }],
    ]);
    await world.service.wait(turn.id);
    const again = await world.submit("go", byBot);
    const second = await question(world, 2);
    expect(await world.service.decide(second.id, false, ana.userId, signal)).toMatchObject({
      state: "denied",
    });
    expect(checked).toHaveLength(4);
    await world.service.wait(again.id);
  });

  test("happens once, however many press at once", async () => {
    const ran: ToolCallRequest[] = [];
    await using world = await World.start({
      tools: { ban: asking({ ran: (request) => ran.push(request) }) },
    });
    world.claude.script([toolUse("ban", {})], "ok");
    const turn = await world.submit("go");
    const { id } = await question(world);
    const presses = await Promise.allSettled([
      world.service.decide(id, true, ana.userId, signal),
      world.service.decide(id, true, "2", signal),
      world.service.decide(id, true, "3", signal),
    ]);
    expect(presses.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    await world.service.wait(turn.id);
    expect(ran).toHaveLength(1);
    await expect(world.service.decide(id, false, ana.userId, signal)).rejects.toMatchObject({
      code: "approval_not_found",
      message: expect.stringContaining("approved"),
    });
    await expect(world.service.decide("a_none", true, ana.userId, signal)).rejects.toMatchObject({
      code: "approval_not_found",
    });
  });

  test("at the very moment of the question loses nothing", async () => {
    await using world = await World.start({ tools: { ban: asking() } });
    world.claude.script([toolUse("ban", {}), toolUse("ban", {})], "ok");
    world.service.onApproval(({ id, state }) => {
      if (state === "pending") void world.service.decide(id, true, ana.userId, signal);
    });
    expect(await world.ask("go")).toMatchObject({ state: "done", answer: "ok" });
  });

  test("works for the question of an earlier process, and on its way through another", async () => {
    await using world = await World.start({ tools: { ban: asking() } });
    world.claude.script([toolUse("ban", {})], "ok");
    const turn = await world.submit("go", inDiscord("1"));
    const { id } = await question(world);
    await world.restart();
    await world.service.resume();
    expect(await stateOf(world, turn)).toBe("suspended");
    const waiting = world.service.wait(turn.id);
    await world.service.decide(id, true, ana.userId, signal);
    expect((await waiting).turn).toMatchObject({ state: "done", answer: "ok", starts: 1 });
  });

  test("that a process did not live to hear of is heard of by the next", async () => {
    await using world = await World.start({ tools: { ban: asking() } });
    world.claude.script([toolUse("ban", {})], "ok");
    const turn = await world.submit("go");
    const { id } = await question(world);
    await world.memory.approvals.decide(id, { approved: true, by: ana.userId }, Date.now());
    world.replaceService();
    await world.service.resume();
    expect((await world.service.wait(turn.id)).turn.answer).toBe("ok");
  });

  test("late or after many processes does not make the turn too old, or begun too often", async () => {
    let now = 1_800_000_000_000;
    await using world = await World.start({ tools: { ban: asking() }, now: () => now });
    const ban = [toolUse("ban", {})];
    world.claude.script(ban, ban, ban, ban, ban, ban, "ok");
    const turn = await world.submit("go");
    for (let n = 1; n <= 6; n++) {
      const { id } = await question(world, n);
      now += quarter - 1;
      await world.restart();
      await world.service.decide(id, true, ana.userId, signal);
    }
    expect((await world.service.wait(turn.id)).turn).toMatchObject({ state: "done", starts: 1 });
  });
});

describe("a new message", () => {
  test("ends the turn that waits, with what it had asked, and is answered itself", async () => {
    await using world = await World.start({ tools: { ban: asking() } });
    world.claude.script([toolUse("ban", {})], "Instead, this.");
    const turn = await world.submit("ban bo", inDiscord("1"));
    const ended = world.service.wait(turn.id);
    const { id } = await question(world);
    const heard: string[] = [];
    world.service.onApproval(({ state }) => heard.push(state));
    world.service.onEnded(({ text }) => heard.push(text));
    expect(await world.ask("never mind", inDiscord("2"))).toMatchObject({ answer: "Instead, this." });
    expect((await ended).turn).toMatchObject({ state: "done", stopReason: "withdrawn" });
    expect(heard).toEqual(["withdrawn", "ban bo", "never mind"]);
    expect(world.events.find((event) => event.type === "approval_decided")).toMatchObject({
      approvalId: id,
      state: "withdrawn",
      decidedBy: null,
    });
    expect(world.eventTypes(turn.id).at(-1)).toBe("turn_finished");
    await expect(world.service.decide(id, true, ana.userId, signal)).rejects.toThrow("withdrawn");
    const messages = world.prompts.at(-1)?.messages ?? [];
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant", "user"]);
    expect(messages[2]?.content).toMatchObject([
      { is_error: true, content: expect.stringContaining("not done") },
    ]);
  });

  test("goes behind those that waited for the suspended turn", async () => {
    const look = door();
    await using world = await World.start({
      tools: { ban: asking(), look: { run: () => look.opened.then(() => "seen") } },
    });
    world.claude.script([toolUse("ban", {}), toolUse("look", {})], "second", "third");
    const first = await world.submit("one");
    await world.event((event) => event.type === "tool_started");
    const second = await world.submit("two");
    look.open();
    await question(world);
    expect(await stateOf(world, second)).toBe("queued");
    const order: string[] = [];
    world.service.onEnded(({ text }) => order.push(text));
    const third = await world.submit("three");
    await Promise.all([first, second, third].map(({ id }) => world.service.wait(id)));
    expect(order).toEqual(["one", "two", "three"]);
  });

  test("that waited goes on by itself when the question is decided", async () => {
    const look = door();
    await using world = await World.start({
      tools: { ban: asking(), look: { run: () => look.opened.then(() => "seen") } },
    });
    world.claude.script([toolUse("ban", {}), toolUse("look", {})], "first", "second");
    await world.submit("one");
    await world.event((event) => event.type === "tool_started");
    const second = await world.submit("two");
    look.open();
    const { id } = await question(world);
    await world.service.decide(id, false, ana.userId, signal);
    expect((await world.service.wait(second.id)).turn.answer).toBe("second");
  });
});

describe("stopping", () => {
  test("ends a turn that waits for an answer, by its conversation and by its id", async () => {
    await using world = await World.start({ tools: { ban: asking() } });
    world.claude.script([toolUse("ban", {})], [toolUse("ban", {})], "ok");
    for (const byId of [false, true]) {
      const turn = await world.submit("go");
      const { id } = await question(world, byId ? 2 : 1);
      const { conversationId } = turn;
      expect(await world.service.cancel(conversationId, "another")).toEqual({ stopped: [], removed: [] });
      const stopped = await world.service.cancel(conversationId, ...(byId ? [turn.id] : []));
      expect(stopped).toEqual({ stopped: [turn.id], removed: [] });
      expect((await world.service.wait(turn.id)).turn).toMatchObject({
        state: "cancelled",
        answer: answers.stopped,
      });
      expect((await world.service.approval(id))?.state).toBe("withdrawn");
      expect(world.events.at(-1)).toMatchObject({ type: "turn_failed", code: "cancelled" });
    }
    expect(await world.ask("and now?")).toMatchObject({ answer: "ok" });
  });

  test("of a turn that waits, by its id, lets those go on that waited behind it", async () => {
    const [look, idle] = [door(), door()];
    await using world = await World.start({
      tools: { ban: asking(), look: { run: () => look.opened.then(() => "seen") } },
    });
    world.replaceService((journal) => ({
      ...journal,
      async nextQueued(conversationId) {
        const next = await journal.nextQueued(conversationId);
        if (next === null) setImmediate(idle.open);
        return next;
      },
    }));
    world.claude.script([toolUse("ban", {}), toolUse("look", {})], "second");
    const first = await world.submit("one");
    await world.event((event) => event.type === "tool_started");
    const second = await world.submit("two");
    look.open();
    await question(world);
    await idle.opened;
    expect((await world.service.cancel(first.conversationId, first.id)).stopped).toEqual([first.id]);
    expect((await world.service.wait(second.id)).turn.answer).toBe("second");
  });

  test("as a turn is about to ask leaves no question behind", async () => {
    const committed = door();
    await using world = await World.start({ tools: { ban: asking() } });
    const held = door();
    world.replaceService((journal) => ({
      ...journal,
      suspend: async (turnId, approvals) => {
        const stored = await journal.suspend(turnId, approvals);
        committed.open();
        await held.opened;
        return stored;
      },
    }));
    world.claude.script([toolUse("ban", {})]);
    const turn = await world.submit("go");
    await committed.opened;
    // Held up in its commit, it is stopped while it still counts as running.
    const cancelled = world.service.cancel(turn.conversationId);
    held.open();
    expect(await cancelled).toEqual({ stopped: [turn.id], removed: [] });
    expect(await world.memory.approvals.pending(turn.conversationId)).toEqual([]);
    expect(await stateOf(world, turn)).toBe("cancelled");
  });

  test("of the service leaves it waiting, and a reset does not", async () => {
    await using world = await World.start({ tools: { ban: asking() } });
    world.claude.script([toolUse("ban", {})], "ok");
    const turn = await world.submit("go");
    const { id } = await question(world);
    const waiting = world.service.wait(turn.id);
    await world.service.drain(0);
    await expect(waiting).rejects.toMatchObject({ code: "shutting_down" });
    expect(await stateOf(world, turn)).toBe("suspended");
    await world.restart();
    await world.service.reset(ana.userId, ana.channelId, ana.guildId);
    expect((await world.service.approval(id))?.state).toBe("withdrawn");
    expect(await stateOf(world, turn)).toBe("cancelled");
  });
});

/** Asks for a ban beside a look, then answers. */
function brain(request: MessageCreateParams): Reply {
  const steps = request.messages.filter((message) => message.role === "assistant").length;
  return steps === 0
    ? { blocks: [text("First I ask."), toolUse("ban", {}), toolUse("look", {})] }
    : { blocks: [text("All done.")] };
}

describe("a process that is killed", () => {
  /** begin, saveStep, 2 × toolRunning, toolEnded, toolAsked, suspend; begin, toolRunning, toolEnded, saveStep, end. */
  const writes = 12;
  const cuts = Array.from({ length: writes }, (_, n) => n + 1).flatMap((write) => [
    [write, "before"] as const,
    [write, "after"] as const,
  ]);
  test.each(cuts)("at write %d of a turn that asks, %s it: asks, and runs it once", async (write, when) => {
    const ran: ToolCallRequest[] = [];
    await using world = await World.start({
      tools: { ban: asking({ ran: (request) => ran.push(request) }), look: { run: async () => "seen" } },
      claude: { brain },
    });
    const dead = door();
    world.replaceService((journal) => dyingAt(journal, write, when, dead.open));
    const approve = () =>
      world.service.onApproval(({ id, state }) => {
        if (state === "pending") void world.service.decide(id, true, ana.userId, signal).catch(() => {});
      });
    approve();
    const turn = await world.submit("go");
    await dead.opened;
    world.replaceService();
    approve();
    await world.service.resume();
    for (const { id } of await world.memory.approvals.pending(turn.conversationId))
      await world.service.decide(id, true, ana.userId, signal).catch(() => {});
    const { turn: ended } = await world.service.wait(turn.id);
    expect(ended.state).toBe("done");
    expect(ended.answer).toStartWith("First I ask.\n\nAll done.");
    const calls = (await world.memory.turns.steps(turn.id)).flatMap((step) => step.toolCalls);
    const state = calls.find(({ toolName }) => toolName === "ban")?.state;
    expect(ran.length).toBeLessThanOrEqual(1);
    expect(ended.answer?.includes("Please check")).toBe(state === "unknown");
    if (state === "done") expect(ran).toHaveLength(1);
    expect((await world.ask("and then?")).state).toBe("done");
  });
});

describe("questions of calls that belong to no turn", () => {
  test("are asked, decided and taken once, without an event of a turn", async () => {
    await using world = await World.start();
    const heard: string[] = [];
    world.service.onApproval(({ state }) => heard.push(state));
    const asked: NewApproval = {
      kind: "tool",
      turnId: null,
      conversationId: "c",
      sessionId: "s1",
      actor: ana,
      step: null,
      toolUseId: null,
      toolName: "ban",
      input: {},
      question: { text: "Ban @bo?", publicText: null, fingerprint: "f" },
      askIn: "none",
      expiresAt: Date.now() + quarter,
    };
    const { id } = await world.service.ask(asked);
    expect(await world.service.approval(id)).toMatchObject({ ...asked, state: "pending" });
    expect(await world.service.useApproval(id)).toBe(false);
    await world.service.decide(id, true, ana.userId, signal);
    expect(await world.service.useApproval(id)).toBe(true);
    expect(await world.service.useApproval(id)).toBe(false);
    await expect(world.service.decide(id, true, ana.userId, signal)).rejects.toThrow("carried out");
    expect(heard).toEqual(["pending", "approved"]);
    expect(world.events).toEqual([]);
    expect(await world.service.approval("a_none")).toBeNull();
    expect((await world.service.submit(newTurn("hello"))).status).toBe("accepted");
  });
});
