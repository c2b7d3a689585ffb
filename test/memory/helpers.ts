import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NewApproval } from "../../src/agent/approvals.ts";
import type { AcceptResult, NewTurn, TurnEnd, TurnRecord } from "../../src/agent/journal.ts";
import type { Post } from "../../src/discord/ports.ts";
import { type Memory, type MemoryOptions, openMemory } from "../../src/memory/memory.ts";

export const secretKey = "a secret key of more than thirty-two bytes";
export const usage = {
  inputTokens: 1,
  outputTokens: 2,
  cacheCreationInputTokens: 3,
  cacheReadInputTokens: 4,
};

export interface Folder extends Disposable {
  readonly dir: string;
  readonly path: string;
  open(options?: Partial<MemoryOptions>): Memory;
}

export function folder(): Folder {
  const dir = mkdtempSync(join(tmpdir(), "memory-"));
  const path = join(dir, "data", "test.db");
  return {
    dir,
    path,
    open: (options) => openMemory({ path, secretKey, ...options }),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export function newTurn(
  over: Partial<NewTurn> & {
    readonly userId?: string;
    readonly channelId?: string;
    readonly guildId?: string | null;
  } = {},
): NewTurn {
  const { userId = "100", channelId = "200", guildId = "300", ...rest } = over;
  return {
    sessionId: "session",
    actor: { kind: "user", userId, guildId, channelId },
    origin: "program",
    text: "What is up?",
    preamble: "Anna writes:",
    discordMessageId: null,
    idempotencyKey: null,
    replyTo: null,
    ...rest,
  };
}

export function accepted(result: AcceptResult): TurnRecord {
  if (result.status !== "accepted") throw new Error(`expected an accepted turn, got ${result.status}`);
  return result.turn;
}

export async function accept(memory: Memory, over: Parameters<typeof newTurn>[0] = {}): Promise<TurnRecord> {
  return accepted(await memory.turns.accept(newTurn(over), 1000));
}

export const done = (over: Partial<TurnEnd> = {}): TurnEnd => ({
  state: "done",
  answer: "All is well.",
  closingText: null,
  stopReason: "end_turn",
  errorCode: null,
  answerTo: "channel",
  ...over,
});

/** A whole turn of one step. */
export async function converse(
  memory: Memory,
  answer: string,
  over: Parameters<typeof newTurn>[0] = {},
): Promise<TurnRecord> {
  const turn = await accept(memory, over);
  await memory.turns.begin(turn.id);
  const content = [{ type: "text" as const, text: answer }];
  await memory.turns.saveStep(turn.id, {
    step: 1,
    content,
    stopReason: "end_turn",
    usage,
    model: "model",
    sources: [],
  });
  await memory.turns.end(turn.id, done({ answer }));
  return turn;
}

export const approval = (over: Partial<NewApproval> = {}): NewApproval => ({
  kind: "tool",
  turnId: null,
  conversationId: "conversation",
  sessionId: "session",
  actor: { kind: "user", userId: "100", guildId: "300", channelId: "200" },
  step: null,
  toolUseId: null,
  toolName: "tool_a",
  input: { id: "a" },
  question: { text: "Ban @bo?", publicText: null, fingerprint: "f" },
  askIn: "channel",
  expiresAt: Number.MAX_SAFE_INTEGER,
  ...over,
});

export const post = (nonce: string, over: Partial<Post> = {}): Post => ({
  nonce,
  purpose: "answer",
  subject: "turn",
  ordinal: 0,
  channelId: "200",
  replyToMessageId: "1",
  content: `content of ${nonce}`,
  allowedMentionUserIds: ["100"],
  state: "pending",
  sendingAt: null,
  messageId: null,
  ...over,
});
