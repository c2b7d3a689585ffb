import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import type { Memory } from "../../src/memory/memory.ts";
import { accept, accepted, converse, done, folder, newTurn, usage } from "./helpers.ts";

const step = (content: Parameters<typeof call>[0][], n = 1) => ({
  step: n,
  content: content.map(call),
  stopReason: "tool_use",
  usage,
  model: "model",
  sources: [],
});
const call = (id: string) => ({ type: "tool_use" as const, id, name: `tool_${id}`, input: { id } });
const result = (id: string, content = `result of ${id}`) => ({
  type: "tool_result" as const,
  tool_use_id: id,
  content,
});
const stored = (id: string) => ({ toolUseId: id, toolName: `tool_${id}`, input: { id } });
const text = (value: string) => ({ type: "text" as const, text: value });

describe("accepting", () => {
  test("stores the turn as it was given", async () => {
    using at = folder();
    const given = newTurn({
      discordMessageId: "1",
      idempotencyKey: "key",
      replyTo: { channelId: "200", messageId: "1" },
      text: "Ünïcode 👩‍👩‍👧 \0 text",
      preamble: "",
    });
    let id: string;
    {
      using memory = at.open({ now: () => 12345 });
      const turn = accepted(await memory.turns.accept(given, 8));
      id = turn.id;
      expect(turn).toMatchObject({ ...given, state: "queued", starts: 0, epoch: 0, acceptedAt: 12345 });
    }
    using memory = at.open();
    expect(await memory.turns.get(id)).toMatchObject({ ...given, acceptedAt: 12345, answer: null });
    expect(await memory.turns.get("nothing")).toBeNull();
  });

  test("recognises a Discord message and an idempotency key, within its session only", async () => {
    using at = folder();
    using memory = at.open();
    const first = await accept(memory, { discordMessageId: "1", idempotencyKey: "a" });
    for (const again of [
      newTurn({ discordMessageId: "1" }),
      newTurn({ idempotencyKey: "a" }),
      newTurn({ discordMessageId: "2", idempotencyKey: "a" }),
    ])
      expect(await memory.turns.accept(again, 8)).toEqual({ status: "duplicate", turn: first });
    await accept(memory, { idempotencyKey: "a", sessionId: "another" });
    await accept(memory, { idempotencyKey: "b" });
  });

  test("lets so many wait behind the one that runs, in each conversation", async () => {
    using at = folder();
    using memory = at.open();
    const waiting: number[] = [];
    for (let i = 0; i < 3; i++) {
      const result = await memory.turns.accept(newTurn(), 2);
      if (result.status === "accepted") waiting.push(result.waiting);
    }
    expect(waiting).toEqual([0, 1, 2]);
    const full = newTurn({ discordMessageId: "9" });
    expect(await memory.turns.accept(full, 2)).toEqual({ status: "queue_full", waiting: 2 });
    expect(await memory.seen.has("9")).toBe(false);
    accepted(await memory.turns.accept(newTurn({ channelId: "201" }), 2));
    const [first] = await memory.turns.unfinished();
    await memory.turns.end(first?.id ?? "", done());
    expect((await memory.turns.accept(full, 2)).status).toBe("accepted");
    expect(await memory.seen.has("9")).toBe(true);
  });

  test("keeps the order of acceptance, whatever the clock does", async () => {
    using at = folder();
    let clock = 1000;
    using memory = at.open({ now: () => clock-- });
    const turns = [await accept(memory), await accept(memory), await accept(memory)];
    expect((await memory.turns.unfinished()).map(({ id }) => id)).toEqual(turns.map(({ id }) => id));
    const conversation = turns[0]?.conversationId ?? "";
    expect((await memory.turns.nextQueued(conversation))?.id).toBe(turns[0]?.id);
    await memory.turns.begin(turns[0]?.id ?? "");
    expect((await memory.turns.nextQueued(conversation))?.id).toBe(turns[1]?.id);
    expect(await memory.turns.nextQueued("other")).toBeNull();
  });
});

describe("a message that waits", () => {
  test("can be edited and removed, and its id stays as a tombstone", async () => {
    using at = folder();
    using memory = at.open();
    const turn = await accept(memory, { discordMessageId: "1" });
    expect(await memory.turns.editQueued("1", "better")).toBe(true);
    expect((await memory.turns.get(turn.id))?.text).toBe("better");
    expect(await memory.turns.removeQueued("1")).toMatchObject({ id: turn.id, state: "cancelled" });
    expect(await memory.turns.get(turn.id)).toBeNull();
    expect(await memory.turns.accept(newTurn({ discordMessageId: "1" }), 8)).toEqual({
      status: "duplicate",
      turn: null,
    });
    expect(await memory.turns.editQueued("1", "more")).toBe(false);
    expect(await memory.turns.removeQueued("1")).toBeNull();
  });

  test("cannot be changed once it runs", async () => {
    using at = folder();
    using memory = at.open();
    const turn = await accept(memory, { discordMessageId: "1" });
    await memory.turns.begin(turn.id);
    expect(await memory.turns.editQueued("1", "better")).toBe(false);
    expect(await memory.turns.removeQueued("1")).toBeNull();
    expect((await memory.turns.get(turn.id))?.text).toBe("What is up?");
  });

  test("is taken out with all others of its conversation, but not the one that runs", async () => {
    using at = folder();
    using memory = at.open();
    const [running, second, third] = [await accept(memory), await accept(memory), await accept(memory)];
    const other = await accept(memory, { userId: "2" });
    await memory.turns.begin(running.id);
    const removed = await memory.turns.cancelQueued(running.conversationId);
    expect(removed.map(({ id, state }) => [id, state])).toEqual([
      [second.id, "cancelled"],
      [third.id, "cancelled"],
    ]);
    expect((await memory.turns.unfinished()).map(({ id }) => id)).toEqual([running.id, other.id]);
    expect(await memory.turns.begin(second.id)).toBeNull();
    await memory.turns.end(running.id, done());
    expect((await memory.history.load(running.conversationId, 0)).turns).toHaveLength(1);
  });
});

describe("a turn that runs", () => {
  test("counts its starts, and not one that was handed back", async () => {
    using at = folder();
    using memory = at.open();
    const turn = await accept(memory);
    expect((await memory.turns.begin(turn.id))?.starts).toBe(1);
    await memory.turns.yield(turn.id);
    expect((await memory.turns.unfinished())[0]?.state).toBe("running");
    expect((await memory.turns.begin(turn.id))?.starts).toBe(1);
    expect((await memory.turns.begin(turn.id))?.starts).toBe(2);
    await memory.turns.end(turn.id, done());
    expect(await memory.turns.begin(turn.id)).toBeNull();
    expect(await memory.turns.begin("nothing")).toBeNull();
  });

  test("commits its steps, usage and tool calls one by one", async () => {
    using at = folder();
    using memory = at.open();
    const { id } = await accept(memory);
    await memory.turns.begin(id);
    await memory.turns.saveStep(id, step(["a", "b"]));
    const states = async () => (await memory.turns.steps(id))[0]?.toolCalls.map(({ state }) => state);
    expect(await states()).toEqual(["pending", "pending"]);
    await memory.turns.toolRunning(id, 1, "a");
    expect(await states()).toEqual(["running", "pending"]);
    await memory.turns.toolEnded(id, 1, "b", {
      state: "unknown",
      result: result("b"),
      sources: ["channel:1"],
    });
    await memory.turns.toolEnded(id, 1, "a", { state: "done", result: result("a"), sources: ["guild:2"] });
    await memory.turns.toolRunning(id, 1, "a");
    await memory.turns.toolEnded(id, 1, "a", { state: "unknown", result: result("a", "other"), sources: [] });
    const steps = await memory.turns.steps(id);
    expect(steps).toEqual([
      {
        step: 1,
        content: [call("a"), call("b")],
        stopReason: "tool_use",
        sources: [],
        toolCalls: [
          { ...stored("a"), state: "done", result: result("a"), sources: ["guild:2"] },
          { ...stored("b"), state: "unknown", result: result("b"), sources: ["channel:1"] },
        ],
      },
    ]);
    await memory.turns.saveStep(id, step([], 2));
    expect((await memory.turns.get(id))?.usage).toEqual({
      inputTokens: 2,
      outputTokens: 4,
      cacheCreationInputTokens: 6,
      cacheReadInputTokens: 8,
    });
  });

  test("takes a step once, and none after its end", async () => {
    using at = folder();
    using memory = at.open();
    const { id } = await accept(memory);
    await memory.turns.begin(id);
    await memory.turns.saveStep(id, step(["a"]));
    expect(memory.turns.saveStep(id, step(["b"]))).rejects.toThrow();
    expect(await memory.turns.steps(id)).toHaveLength(1);
    await memory.turns.end(id, done());
    expect(memory.turns.saveStep(id, step(["c"], 2))).rejects.toThrow(AppError);
    expect(memory.turns.saveStep("nothing", step([]))).rejects.toThrow("no such turn");
  });
});

describe("the end of a turn", () => {
  test("answers what has no answer, keeps the first end, and leaves an answer due in Discord", async () => {
    using at = folder();
    using memory = at.open();
    const replyTo = { channelId: "200", messageId: "1" };
    const { id, conversationId } = await accept(memory, { replyTo, discordMessageId: "1" });
    await memory.turns.begin(id);
    await memory.turns.saveStep(id, step(["a", "b", "c"]));
    await memory.turns.toolRunning(id, 1, "a");
    await memory.turns.toolEnded(id, 1, "c", { state: "done", result: result("c"), sources: [] });
    const end = done({
      state: "cancelled",
      answer: "Stopped.",
      stopReason: "cancelled",
      errorCode: "cancelled",
    });
    await memory.turns.end(id, end);
    await memory.turns.end(id, done({ answer: "Too late." }));
    await memory.turns.toolEnded(id, 1, "a", { state: "done", result: result("a"), sources: [] });
    expect(await memory.turns.get(id)).toMatchObject({
      state: "cancelled",
      answer: "Stopped.",
      stopReason: "cancelled",
      errorCode: "cancelled",
    });
    const [turn] = (await memory.history.load(conversationId, 0)).turns;
    expect(turn?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(turn?.messages[2]?.content).toMatchObject([
      { tool_use_id: "a", is_error: true, content: expect.stringContaining("unknown") },
      { tool_use_id: "b", is_error: true, content: expect.stringContaining("no effect") },
      { tool_use_id: "c", content: "result of c" },
    ]);
    expect(turn?.messages[3]?.content).toEqual([text("Stopped.")]);
    expect((await memory.turns.steps(id))[0]?.toolCalls.map(({ state }) => state)).toEqual([
      "unknown",
      "done",
      "done",
    ]);
    expect(await memory.outbox.undelivered(10)).toEqual([
      {
        turnId: id,
        channelId: "200",
        replyToMessageId: "1",
        userId: "100",
        answer: "Stopped.",
        answerTo: "channel",
      },
    ]);
    expect(await memory.turns.unfinished()).toEqual([]);
  });

  test("of a turn that never began leaves its question and the answer in the history", async () => {
    using at = folder();
    using memory = at.open();
    const { id, conversationId } = await accept(memory, { preamble: "", text: "Too old?" });
    await memory.turns.end(id, done({ state: "failed", answer: "It took too long.", closingText: "Sorry." }));
    expect((await memory.history.load(conversationId, 0)).turns[0]?.messages).toEqual([
      { role: "user", content: [text("Too old?")] },
      { role: "assistant", content: [text("Sorry.")] },
    ]);
  });

  test("joins a closing text and a continued step to the message before, and skips an empty one", async () => {
    using at = folder();
    using memory = at.open();
    const { id, conversationId } = await accept(memory, { text: "  ", preamble: "" });
    await memory.turns.begin(id);
    for (const [n, content] of [[text("one")], [], [text("two")]].entries())
      await memory.turns.saveStep(id, {
        step: n,
        content,
        stopReason: "pause_turn",
        usage,
        model: "m",
        sources: [],
      });
    await memory.turns.end(id, done({ closingText: "three" }));
    expect((await memory.history.load(conversationId, 0)).turns[0]?.messages).toEqual([
      { role: "user", content: [text("(a message without text)")] },
      { role: "assistant", content: [text("one"), text("two"), text("three")] },
    ]);
  });
});

describe("the history", () => {
  test("is that of its epoch, in the order in which turns ended", async () => {
    using at = folder();
    using memory = at.open();
    const old = await converse(memory, "old");
    expect(await memory.turns.reset("100", "200", "300")).toBe(1);
    const [first, second] = [await accept(memory), await accept(memory)];
    await memory.turns.end(second.id, done());
    await memory.turns.end(first.id, done());
    const ids = async (epoch: number) =>
      (await memory.history.load(old.conversationId, epoch)).turns.map(({ turnId }) => turnId);
    expect(await ids(0)).toEqual([old.id]);
    expect(await ids(1)).toEqual([second.id, first.id]);
    expect((await memory.transcript.recent(old.conversationId, 10)).map(({ turnId }) => turnId)).toEqual([
      first.id,
      first.id,
      second.id,
      second.id,
    ]);
  });

  test("says what a turn rests on, of its calls and of what was read before, and what was answered", async () => {
    using at = folder();
    const check = async (memory: Memory, conversationId: string) =>
      expect((await memory.history.load(conversationId, 0)).turns).toMatchObject([
        { sources: ["channel:1", "channel:2"], answer: "About both.", answerTo: "asker" },
        { sources: [], answer: null, answerTo: "channel" },
      ]);
    let conversation: string;
    {
      using memory = at.open();
      const { id, conversationId } = await accept(memory);
      conversation = conversationId;
      await memory.history.load(conversationId, 0);
      await memory.turns.begin(id);
      await memory.turns.saveStep(id, { ...step(["a"]), sources: ["channel:1"] });
      expect((await memory.turns.steps(id))[0]?.sources).toEqual(["channel:1"]);
      const sources = ["channel:2", "channel:1"];
      await memory.turns.toolEnded(id, 1, "a", { state: "done", result: result("a"), sources });
      await memory.turns.end(id, done({ answer: "About both.", answerTo: "asker" }));
      await converse(memory, "nothing read");
      await check(memory, conversationId);
    }
    using memory = at.open();
    await check(memory, conversation);
  });

  test("begins after its summary, which does not go back", async () => {
    using at = folder();
    using memory = at.open();
    const turns = [await converse(memory, "1"), await converse(memory, "2"), await converse(memory, "3")];
    const [a, b, c] = turns.map(({ id }) => id);
    const id = turns[0]?.conversationId ?? "";
    const summary = (uptoTurnId = "") => ({
      text: `up to ${uptoTurnId}`,
      uptoTurnId,
      sources: ["channel:1"],
    });
    await memory.history.load(id, 0);
    await memory.history.saveSummary(id, 0, summary(b));
    const history = await memory.history.load(id, 0);
    expect(history.summary).toEqual(summary(b));
    expect(history.turns.map(({ turnId }) => turnId)).toEqual([c ?? ""]);
    await memory.history.saveSummary(id, 0, summary(a));
    expect((await memory.history.load(id, 0)).summary).toEqual(summary(b));
    const other = await accept(memory, { userId: "2" });
    expect(memory.history.saveSummary(id, 0, summary(other.id))).rejects.toThrow("no ended turn");
  });

  test("cannot be changed by who reads it", async () => {
    using at = folder();
    using memory = at.open();
    const { conversationId } = await converse(memory, "answer");
    const [turn] = (await memory.history.load(conversationId, 0)).turns;
    const content = turn?.messages[1]?.content;
    if (!Array.isArray(content)) throw new Error("no blocks");
    expect(() => content.push(text("forged"))).toThrow();
    expect(() => Object.assign(content[0] ?? {}, { cache_control: { type: "ephemeral" } })).toThrow();
  });

  test("is readable for people as a transcript, the newest entries of any turn", async () => {
    using at = folder();
    let clock = 1_000_000;
    using memory = at.open({ now: () => clock });
    for (let i = 0; i < 60; i++) await converse(memory, `answer ${i}`, { text: `question ${i}` });
    const { id, conversationId } = await accept(memory, { text: "the last" });
    expect(await memory.transcript.recent(conversationId, 1)).toMatchObject([{ content: "answer 59" }]);
    await memory.turns.begin(id);
    clock = 1_000_500;
    await memory.turns.saveStep(id, { ...step(["a"]), content: [text("Looking."), call("a")] });
    const sources = ["channel:1"];
    await memory.turns.toolEnded(id, 1, "a", { state: "done", result: result("a"), sources });
    const before = { timestamp: 1000, turnId: expect.any(String), sources: [] };
    const since = { timestamp: 1000.5, turnId: id, sources };
    expect(await memory.transcript.recent(conversationId, 5)).toEqual([
      { role: "user", content: "question 59", ...before },
      { role: "assistant", content: "answer 59", ...before },
      { role: "user", content: "the last", ...before, turnId: id },
      { role: "assistant", content: "Looking.", ...since },
      { role: "tool", content: "result of a", ...since, toolName: "tool_a" },
    ]);
    expect(await memory.transcript.recent(conversationId, 1000)).toHaveLength(123);
    expect(await memory.transcript.recent("nothing", 5)).toEqual([]);
  });
});
