import { goesWith, type OnForgotten } from "../actor.ts";
import { AppError } from "../errors.ts";
import { Lru } from "../lru.ts";
import type { Session } from "../sessions/ports.ts";
import { idLength, type Metadata } from "./messages.ts";
import type { DirectToolOutcome } from "./ports.ts";

/** Direct tool calls that are remembered by their key. */
const rememberedBound = 512;

/** `metadata.idempotency_key`, or null. Throws AppError `invalid_envelope`. */
export function idempotencyKey(metadata: Metadata | undefined): string | null {
  const key = metadata?.idempotency_key;
  if (key === undefined || key === null) return null;
  if (typeof key === "string" && key.length > 0 && key.length <= idLength) return key;
  throw new AppError(
    "invalid_envelope",
    `The field metadata.idempotency_key must be a string of 1 to ${idLength} characters.`,
    { data: { path: "metadata.idempotency_key" } },
  );
}

export function conflict(sentence: string): AppError {
  return new AppError("idempotency_conflict", `${sentence} Use a new idempotency_key.`);
}

type Caller = Pick<Session, "id" | "conversationId" | "userId" | "guildId">;

interface Remembered {
  readonly fingerprint: string;
  readonly session: Caller;
  readonly outcome: Promise<DirectToolOutcome>;
}

/**
 * Outcomes of direct tool calls by session and key, so that a call repeated after a lost answer is not made
 * twice. Held in memory and bounded: enough for tools that read; one that failed, or has to be approved first
 * (which is thrown), is forgotten and may be tried again. Whoever is forgotten takes theirs with them.
 */
export function createToolCallMemory(onForgotten?: OnForgotten) {
  const calls = new Lru<Remembered>(rememberedBound);
  onForgotten?.((whose) => calls.deleteIf(({ session }) => goesWith(whose, session)));

  return (
    session: Caller,
    key: string,
    request: readonly [toolName: string, input: unknown],
    call: () => Promise<DirectToolOutcome>,
  ): Promise<DirectToolOutcome> => {
    // An id that has ended can begin anew as somebody else's session.
    const id = `${session.conversationId} ${session.id} ${key}`;
    const fingerprint = new Bun.CryptoHasher("sha256").update(JSON.stringify(request)).digest("base64");
    const before = calls.get(id);
    if (before !== undefined) {
      if (before.fingerprint === fingerprint) return before.outcome;
      throw conflict("This idempotency_key was used for another tool call.");
    }
    const outcome = call();
    const entry: Remembered = { fingerprint, session, outcome };
    calls.set(id, entry);
    const forget = () => {
      if (calls.get(id) === entry) calls.delete(id);
    };
    outcome.then(({ kind }) => kind === "failed" && forget(), forget);
    return outcome;
  };
}
