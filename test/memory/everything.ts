/** Rows in every table, with something in every sealed column, for the tests that go over all of them. */
import type { Memory } from "../../src/memory/memory.ts";
import { accept, approval, done, post, usage } from "./helpers.ts";

export interface Filled {
  readonly conversationId: string;
  readonly endedTurnId: string;
  readonly suspendedTurnId: string;
  readonly runningTurnId: string;
  readonly queuedTurnId: string;
  readonly approvalId: string;
}

const session = (id: string) => ({
  sessionId: id,
  userId: "100",
  channelId: "200",
  guildId: "300",
  tokenId: null,
});
const far = Number.MAX_SAFE_INTEGER;

/** `say` makes what is stored of the name of what it is. An older version's memory is filled as far as it goes. */
export async function fillEverything(
  memory: Memory,
  say: (what: string) => string = (what) => what,
): Promise<Filled> {
  const ended = await endedTurn(memory, say);
  const { conversationId } = ended;
  await memory.history.saveSummary(conversationId, 0, {
    text: say("summary"),
    uptoTurnId: ended.id,
    sources: [],
  });
  await memory.preferences.set("100", { instructions: say("preferences") });
  const isOlder = !("memories" in memory);
  if (!isOlder) await memory.memories.add("100", say("memory"), ["self:100"]);
  await memory.outbox.planAnswer(ended.id, [post("n1", { content: say("post"), subject: ended.id })]);
  await memory.outbox.planNotice("1", "200", [post("n2", { content: say("notice"), purpose: "notice" })]);
  await memory.outbox.markSending("n2", 5);
  const shard = { shardId: 0, shardCount: 1, sequence: 1 };
  await memory.gatewaySessions.set({ ...shard, sessionId: say("gateway"), resumeUrl: say("url") });
  await memory.identifies.record(1);
  await memory.marks.advance(new Map([["200", "1000"]]));
  if (!isOlder) await memory.sent.record({ messageId: "1", channelId: "200", userId: "100", at: 4 });
  await memory.sessions.open(session("session"), 1, far);
  await memory.tokens.insert({
    id: "t",
    name: "editor",
    secretHash: new Uint8Array(32),
    userId: "100",
    scopes: ["tools"],
    guildIds: null,
    createdAt: 1,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
  });
  memory.audit.collect({
    at: 1,
    actorKind: "user",
    actorUserId: "100",
    guildId: "300",
    channelId: "200",
    sessionId: "session",
    turnId: ended.id,
    tokenId: null,
    toolName: "tool",
    targets: "channel:200",
    verdict: "done",
    reason: null,
    durationMs: 1,
    approvalId: null,
    approvedBy: null,
  });
  const suspended = isOlder ? { suspendedTurnId: "", approvalId: "" } : await suspendedTurn(memory, say);
  const running = await accept(memory, { channelId: "201", text: say("running") });
  await memory.turns.begin(running.id);
  const calls = [{ type: "tool_use" as const, id: "half", name: "tool", input: { q: say("half") } }];
  await memory.turns.saveStep(running.id, step(1, calls));
  await memory.turns.toolRunning(running.id, 1, "half");
  const queued = await accept(memory, {
    channelId: "201",
    text: say("queued"),
    discordMessageId: "9",
    replyTo: { channelId: "201", messageId: "9" },
    origin: "discord",
  });
  return {
    conversationId,
    endedTurnId: ended.id,
    runningTurnId: running.id,
    queuedTurnId: queued.id,
    ...suspended,
  };
}

const step = (number: number, content: readonly object[]) =>
  ({ step: number, content, stopReason: "tool_use", usage, model: "model", sources: [] }) as Parameters<
    Memory["turns"]["saveStep"]
  >[1];

async function endedTurn(memory: Memory, say: (what: string) => string) {
  const turn = await accept(memory, {
    text: say("text"),
    preamble: say("preamble"),
    idempotencyKey: say("key"),
    discordMessageId: "7",
    replyTo: { channelId: "200", messageId: "7" },
  });
  await memory.turns.begin(turn.id);
  const call = { type: "tool_use" as const, id: "call", name: "tool", input: { q: say("arguments") } };
  await memory.turns.saveStep(turn.id, step(1, [{ type: "text", text: say("thought") }, call]));
  await memory.turns.toolRunning(turn.id, 1, "call");
  const result = { type: "tool_result" as const, tool_use_id: "call", content: say("result") };
  await memory.turns.toolEnded(turn.id, 1, "call", { state: "done", result, sources: ["channel:200"] });
  await memory.turns.end(turn.id, done({ answer: say("answer"), closingText: say("closing") }));
  return turn;
}

async function suspendedTurn(memory: Memory, say: (what: string) => string) {
  const turn = await accept(memory, {
    channelId: "202",
    text: say("suspended"),
    replyTo: { channelId: "202", messageId: "8" },
  });
  await memory.turns.begin(turn.id);
  const call = { type: "tool_use" as const, id: "ask", name: "tool", input: { q: say("asking") } };
  await memory.turns.saveStep(turn.id, step(1, [call]));
  const [asked] = await memory.turns.suspend(turn.id, [
    approval({
      turnId: turn.id,
      conversationId: turn.conversationId,
      step: 1,
      toolUseId: "ask",
      input: { id: say("input") },
      question: { text: say("question"), publicText: say("public"), fingerprint: "f" },
    }),
  ]);
  return { suspendedTurnId: turn.id, approvalId: asked?.id ?? "" };
}
