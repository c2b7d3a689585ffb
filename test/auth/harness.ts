import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ErrorCode } from "../../src/errors.ts";
import { AppError } from "../../src/errors.ts";
import { openMemory } from "../../src/memory/memory.ts";
import type { Session } from "../../src/sessions/ports.ts";

export const ana = "210000000000000022";
export const ben = "210000000000000023";
export const harbour = "210000000000000010";
export const elsewhere = "210000000000000011";
export const general = "210000000000000041";
export const secretKey = "a key for tests that is long enough to be taken";

export class Clock {
  at = Date.UTC(2026, 10, 22);
  readonly now = (): number => this.at;
}

export async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "discord-mcp-auth-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The real store of tokens, in a database of its own. */
export async function tokenStore(clock: Clock) {
  const place = await folder();
  const memory = openMemory({ path: join(place.path, "test.db"), secretKey, now: clock.now });
  return {
    store: memory.tokens,
    async [Symbol.asyncDispose]() {
      memory[Symbol.dispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

export function session(part: Partial<Session> = {}): Session {
  return {
    id: "s_1",
    userId: ana,
    channelId: general,
    guildId: harbour,
    conversationId: "c_1",
    activeTools: [],
    tokenId: null,
    createdAt: 0,
    lastUsedAt: 0,
    expiresAt: 1,
    messageCount: 0,
    toolCallCount: 0,
    ...part,
  };
}

/** The code and message of the AppError that `work` ends with; anything else fails the test. */
export async function refusal(work: () => unknown): Promise<{ code: ErrorCode; message: string }> {
  try {
    await work();
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("It was not refused.");
}

/** The text with one character changed at `at`, also in value where it is hexadecimal in any case. */
export function altered(text: string, at: number): string {
  const index = at < 0 ? text.length + at : at;
  return `${text.slice(0, index)}${text[index] === "0" ? "1" : "0"}${text.slice(index + 1)}`;
}
