import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import type { Approval, NewApproval } from "../../src/agent/approvals.ts";
import type { TurnRecord } from "../../src/agent/journal.ts";
import type { Memory } from "../../src/memory/memory.ts";
import { accept, accepted, approval, done, folder, newTurn, post, usage } from "./helpers.ts";

const replyTo = { channelId: "200", messageId: "1" };
const call = (id: string) => ({ type: "tool_use" as const, id, name: `tool_${id}`, input: { id } });

/** A turn that waits for a yes to each of its calls. */
async function suspended(
  memory: Memory,
  calls: readonly string[] = ["a"],
  over: Partial<NewApproval> = {},
): Promise<{ readonly turn: TurnRecord; readonly asked: readonly Approval[] }> {
  const turn = await accept(memory, { replyTo });
  await memory.turns.begin(turn.id);
  await memory.turns.saveStep(turn.id, {
    step: 1,
    content: calls.map(call),
    stopReason: "tool_use",
    usage,
    model: "m",
    sources: [],
  });
  for (const id of calls) await memory.turns.toolRunning(turn.id, 1, id);
  const { id: turnId, conversationId } = turn;
  const asked = await memory.turns.suspend(
    turnId,
    calls.map((id) => approval({ turnId, conversationId, step: 1, toolUseId: id, ...over })),
  );
  return { turn, asked };
}

const callsOf = async (memory: Memory, { id }: TurnRecord) =>
  (await memory.turns.steps(id)).flatMap((step) => step.toolCalls.map(({ state }) => state));
const yes = { approved: true, by: "100" };
const no = { approved: false, by: "101" };

describe("a suspended turn", () => {
  test("is stored with its questions, is held by nobody and keeps others waiting", async () => {
    using at = folder();
    let id: string;
    let conversationId: string;
    const question = { text: "Ban @bo?", publicText: "Ban somebody?", fingerprint: "f1" };
    {
      using memory = at.open({ now: () => 50 });
      const { turn, asked } = await suspended(memory, ["a", "b"], { question, expiresAt: 900 });
      ({ id, conversationId } = turn);
      expect(asked.map((one) => one.id)).toEqual([
        expect.stringMatching(/^a_[\w-]{22}$/),
        expect.stringMatching(/^a_[\w-]{22}$/),
      ]);
      expect(asked[0]).toEqual({
        ...approval({ turnId: id, conversationId, step: 1, toolUseId: "a", question, expiresAt: 900 }),
        id: asked[0]?.id ?? "",
        state: "pending",
        decidedBy: null,
        createdAt: 50,
        decidedAt: null,
      });
    }
    using memory = at.open();
    expect(await memory.turns.get(id)).toMatchObject({ state: "suspended", starts: 0 });
    expect((await memory.turns.approvals(id)).map(({ toolUseId }) => toolUseId)).toEqual(["a", "b"]);
    expect((await memory.approvals.pending(conversationId)).map(({ toolUseId }) => toolUseId)).toEqual([
      "a",
      "b",
    ]);
    expect(await memory.turns.unfinished()).toEqual([]);
    expect(await memory.turns.begin(id)).toBeNull();
  });

  test("goes on with its last decision, in the same commit", async () => {
    using at = folder();
    using memory = at.open({ now: () => 50 });
    const { turn, asked } = await suspended(memory, ["a", "b"]);
    const [a, b] = asked.map(({ id }) => id);
    const first = await memory.approvals.decide(a ?? "", yes, 60);
    expect(first).toMatchObject({
      approval: { state: "approved", decidedBy: "100", decidedAt: 60 },
      turn: null,
    });
    expect(await memory.turns.unfinished()).toEqual([]);
    const second = await memory.approvals.decide(b ?? "", no, 70);
    expect(second).toMatchObject({
      approval: { state: "denied", decidedBy: "101" },
      turn: { id: turn.id, state: "running", starts: 0 },
    });
    expect((await memory.turns.unfinished()).map(({ id }) => id)).toEqual([turn.id]);
    expect((await memory.turns.begin(turn.id))?.starts).toBe(1);
    await memory.turns.toolRunning(turn.id, 1, "a");
    const result = { type: "tool_result" as const, tool_use_id: "b", content: "no" };
    await memory.turns.toolEnded(turn.id, 1, "b", { state: "done", result, sources: [] });
    expect(await callsOf(memory, turn)).toEqual(["running", "done"]);
    await memory.turns.toolAsked(turn.id, 1, "a");
    await memory.turns.toolAsked(turn.id, 1, "b");
    expect(await callsOf(memory, turn)).toEqual(["pending", "done"]);
  });

  test("takes the first decision and no other, and none after its time", async () => {
    using at = folder();
    using memory = at.open();
    const { asked } = await suspended(memory, ["a", "b"], { expiresAt: 100 });
    const [a, b] = asked.map(({ id }) => id);
    expect(await memory.approvals.decide("a_nothing", yes, 1)).toBeNull();
    expect(await memory.approvals.decide(a ?? "", no, 99)).not.toBeNull();
    expect(await memory.approvals.decide(a ?? "", yes, 99)).toBeNull();
    expect(await memory.approvals.decide(b ?? "", yes, 100)).toBeNull();
    expect((await memory.approvals.get(a ?? ""))?.state).toBe("denied");
    expect((await memory.approvals.get(b ?? ""))?.state).toBe("pending");
    expect(await memory.approvals.get("a_nothing")).toBeNull();
  });

  test("goes on when its questions have expired", async () => {
    using at = folder();
    using memory = at.open();
    const { turn } = await suspended(memory, ["a", "b"], { expiresAt: 100 });
    expect(await memory.approvals.expire(99)).toEqual([]);
    const expired = await memory.approvals.expire(100);
    expect(expired.map(({ approval, turn }) => [approval.state, turn?.id ?? null])).toEqual([
      ["expired", null],
      ["expired", turn.id],
    ]);
    expect(await memory.approvals.expire(100)).toEqual([]);
  });

  test("ends with the person's next message, in the commit that takes it in", async () => {
    using at = folder();
    using memory = at.open();
    const { turn, asked } = await suspended(memory, ["a"]);
    await memory.history.load(turn.conversationId, 0);
    const behind = newTurn({ idempotencyKey: "k" });
    const next = await memory.turns.accept(behind, 8);
    if (next.status !== "accepted") throw new Error(next.status);
    expect(next.waiting).toBe(0);
    expect(next.withdrawn).toMatchObject({ id: turn.id, state: "done", stopReason: "withdrawn" });
    expect(next.withdrawn?.answer).toContain("undone");
    expect((await memory.approvals.get(asked[0]?.id ?? ""))?.state).toBe("withdrawn");
    expect(await memory.outbox.undelivered(5)).toMatchObject([{ turnId: turn.id, answerTo: "channel" }]);
    const [ended] = (await memory.history.load(turn.conversationId, 0)).turns;
    expect(ended?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(ended?.messages[2]?.content).toMatchObject([
      { tool_use_id: "a", is_error: true, content: expect.stringContaining("not done") },
    ]);
    expect((await memory.turns.nextQueued(turn.conversationId))?.id).toBe(next.turn.id);
    // A message that was taken in before ends nothing.
    await memory.turns.end(next.turn.id, done());
    const again = await suspended(memory);
    expect(await memory.turns.accept(behind, 8)).toMatchObject({ status: "duplicate" });
    expect((await memory.turns.get(again.turn.id))?.state).toBe("suspended");
    expect((await memory.turns.accept(newTurn({ userId: "2" }), 8)).status).toBe("accepted");
    expect((await memory.turns.get(again.turn.id))?.state).toBe("suspended");
  });

  test("does not count against the queue, which waits for it", async () => {
    using at = folder();
    using memory = at.open();
    const turn = await accept(memory);
    await memory.turns.begin(turn.id);
    const behind = accepted(await memory.turns.accept(newTurn(), 1));
    const { id: turnId, conversationId } = turn;
    await memory.turns.suspend(turnId, [approval({ turnId, conversationId })]);
    expect(await memory.turns.nextQueued(conversationId)).toBeNull();
    expect((await memory.turns.unfinished()).map(({ id }) => id)).toEqual([behind.id]);
    const next = await memory.turns.accept(newTurn(), 1);
    expect(next).toMatchObject({ status: "accepted", waiting: 1, withdrawn: { id: turnId } });
    expect((await memory.turns.nextQueued(conversationId))?.id).toBe(behind.id);
    expect(await memory.turns.accept(newTurn(), 1)).toMatchObject({ status: "queue_full" });
  });

  test("is ended by whoever names its conversation, and it if a turn is named", async () => {
    using at = folder();
    using memory = at.open();
    const { turn, asked } = await suspended(memory);
    const end = done({
      state: "cancelled",
      answer: "Stopped.",
      closingText: "Stopped.",
      errorCode: "cancelled",
    });
    const { conversationId } = turn;
    expect(await memory.turns.endSuspended(conversationId, "another", end)).toBeNull();
    expect(await memory.turns.endSuspended("another", turn.id, end)).toBeNull();
    expect(await memory.turns.endSuspended(conversationId, null, end)).toMatchObject({
      id: turn.id,
      state: "cancelled",
      answer: "Stopped.",
    });
    expect((await memory.approvals.get(asked[0]?.id ?? ""))?.state).toBe("withdrawn");
    expect(await callsOf(memory, turn)).toEqual(["done"]);
    expect(await memory.turns.endSuspended(conversationId, null, end)).toBeNull();
    await expect(memory.turns.suspend(turn.id, [])).rejects.toThrow("not run");
  });
});

describe("questions of calls that belong to no turn", () => {
  test("are bounded for each session, and their yes is taken once and in time", async () => {
    using at = folder();
    using memory = at.open();
    const asked: Approval[] = [];
    for (let n = 0; n < 16; n++) asked.push(await memory.approvals.add(approval({ expiresAt: 100 })));
    await expect(memory.approvals.add(approval())).rejects.toMatchObject({ code: "rate_limited" });
    await memory.approvals.add(approval({ sessionId: "another" }));
    const [a, b, c] = asked.map(({ id }) => id);
    expect(await memory.approvals.use(a ?? "", 50)).toBe(false);
    expect(await memory.approvals.decide(a ?? "", yes, 50)).toMatchObject({ turn: null });
    await memory.approvals.decide(b ?? "", yes, 50);
    await memory.approvals.decide(c ?? "", no, 50);
    expect(await memory.approvals.use(a ?? "", 60)).toBe(true);
    expect(await memory.approvals.use(a ?? "", 60)).toBe(false);
    expect((await memory.approvals.get(a ?? ""))?.state).toBe("used");
    expect(await memory.approvals.use(b ?? "", 100)).toBe(false);
    expect(await memory.approvals.use(c ?? "", 60)).toBe(false);
    const { asked: ofTurn } = await suspended(memory);
    await memory.approvals.decide(ofTurn[0]?.id ?? "", yes, 50);
    expect(await memory.approvals.use(ofTurn[0]?.id ?? "", 60)).toBe(false);
  });
});

describe("questions in Discord", () => {
  test("are handed out until they are planned, and their verdicts until they are shown", async () => {
    using at = folder();
    using memory = at.open();
    const { outbox, approvals } = memory;
    const { asked } = await suspended(memory, ["a", "b", "c"]);
    const [a = "", b = "", c = ""] = asked.map(({ id }) => id);
    expect((await outbox.unasked(5))[0]).toEqual({
      approvalId: a,
      kind: "tool",
      userId: "100",
      question: approval().question,
      askIn: "channel",
      channelId: "200",
      replyToMessageId: "1",
      expiresAt: approval().expiresAt,
    });
    expect(await outbox.unasked(1)).toHaveLength(1);
    const question = (nonce: string, ordinal = 0) =>
      post(nonce, { purpose: "question", ordinal, channelId: "7" });
    await outbox.planQuestion(a, [question("a1", 1), question("a0")]);
    await outbox.planQuestion(b, [question("b0")]);
    expect((await outbox.unasked(5)).map(({ approvalId }) => approvalId)).toEqual([c]);
    // Decided before it was asked: it never is.
    await approvals.decide(c, yes, 1);
    expect(await outbox.unasked(5)).toEqual([]);
    await outbox.markSent("a1", "70");
    await outbox.markSent("a0", "71");
    expect(await outbox.unshownVerdicts(5)).toEqual([]);
    await approvals.decide(a, no, 1);
    await approvals.decide(b, yes, 1);
    expect(await outbox.unshownVerdicts(5)).toMatchObject([
      { approval: { id: a, state: "denied", decidedBy: "101" }, channelId: "7", messageId: "71" },
    ]);
    await outbox.markSent("b0", "72");
    expect(await outbox.unshownVerdicts(1)).toHaveLength(1);
    await outbox.markShown(a);
    expect((await outbox.unshownVerdicts(5)).map(({ approval }) => approval.id)).toEqual([b]);
  });

  test("that cannot be posted have no verdict to show", async () => {
    using at = folder();
    using memory = at.open();
    const { asked } = await suspended(memory, ["a", "b"]);
    const [a = "", b = ""] = asked.map(({ id }) => id);
    await memory.outbox.planQuestion(a, [post("a0", { purpose: "question" })]);
    await memory.outbox.planQuestion(b, []);
    await memory.outbox.markFailed("a0", "50007");
    for (const id of [a, b]) await memory.approvals.decide(id, yes, 1);
    expect(await memory.outbox.unshownVerdicts(5)).toEqual([]);
  });

  test("are none for programs, and for calls of no turn", async () => {
    using at = folder();
    using memory = at.open();
    await suspended(memory, ["a"], { askIn: "none" });
    await memory.approvals.add(approval());
    expect(await memory.outbox.unasked(5)).toEqual([]);
  });
});

test("nothing of a question is readable in the files", async () => {
  using at = folder();
  using memory = at.open();
  const question = { text: "PLANTED-text", publicText: "PLANTED-public", fingerprint: "f" };
  await suspended(memory, ["a"], { question, input: { reason: "PLANTED-input" } });
  await memory.memories.add("1", "PLANTED-memory", []);
  for (const suffix of ["", "-wal"])
    expect(await Bun.file(`${at.path}${suffix}`).text()).not.toContain("PLANTED");
  using sqlite = new Database(at.path, { readonly: true });
  const row = sqlite.query<{ fingerprint: string }, []>("SELECT fingerprint FROM approvals").get();
  expect(row?.fingerprint).toBe("f");
});
