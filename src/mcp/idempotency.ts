import type { CallToolResult, InputRequiredResult } from "@modelcontextprotocol/server";
import { goesWith, type OnForgotten } from "../actor.ts";
import { AppError } from "../errors.ts";
import { Lru } from "../lru.ts";
import { boundTo } from "./approvals.ts";
import type { Exchange, McpCaller, McpDeps } from "./ports.ts";
import { toolFailed } from "./results.ts";

/** Under which a request's `_meta` may name it, so that sending it again is no second call. */
const keyMeta = "discord-mcp/idempotency_key";
const keyLength = 128;
/** Calls that are remembered by their key. */
const remembered = 512;

/** Null where none is given. Throws AppError `invalid_data`. */
export function idempotencyKey({ context }: Pick<Exchange, "context">): string | null {
  const key: unknown = context.mcpReq._meta?.[keyMeta];
  if (key === undefined) return null;
  if (typeof key === "string" && key.length > 0 && key.length <= keyLength) return key;
  throw new AppError(
    "invalid_data",
    `_meta["${keyMeta}"] must be a string of 1 to ${keyLength} characters.`,
    {
      data: { path: `_meta.${keyMeta}` },
    },
  );
}

export const keyConflict = (sentence: string): AppError =>
  new AppError("idempotency_conflict", `${sentence} Use a new idempotency key.`);

/** How a call ended, and whether calling again would do it a second time. */
export interface Ended {
  readonly result: CallToolResult | InputRequiredResult;
  readonly isFinal: boolean;
  /** What the result was read from. */
  readonly sources: readonly string[];
}

interface Known {
  readonly fingerprint: string;
  readonly actor: McpCaller["actor"];
  readonly ended: Promise<Ended>;
}

/**
 * Outcomes of calls that change something, by client and key, so that a call that is repeated after a lost answer is not
 * made twice. Held in memory and bounded. What did not run, or has to be asked about first, may be tried again; what was
 * given up before its outcome was known may not. Whoever is forgotten takes theirs with them, and `assertMayRead` decides
 * whether what an outcome was read from may still be told.
 */
export function createCallMemory(
  assertMayRead: McpDeps["sessions"]["assertMayRead"],
  onForgotten?: OnForgotten,
) {
  const calls = new Lru<Known>(remembered);
  onForgotten?.((whose) => calls.deleteIf(({ actor }) => actor !== null && goesWith(whose, actor)));

  return async (
    key: string,
    asked: readonly [toolName: string, input: unknown],
    exchange: Pick<Exchange, "caller" | "signal">,
    call: () => Promise<Ended>,
  ): Promise<Ended["result"]> => {
    const id = `${boundTo(exchange.caller)} ${key}`;
    const fingerprint = new Bun.CryptoHasher("sha256").update(JSON.stringify(asked)).digest("base64");
    const before = calls.get(id);
    if (before !== undefined && before.fingerprint !== fingerprint)
      throw keyConflict("This idempotency key was used for another call.");
    if (before !== undefined) {
      const { result, sources } = await before.ended;
      if (exchange.caller.actor !== null) await assertMayRead(exchange.caller.actor, sources);
      return result;
    }
    const ended = endedOf(call, exchange.signal);
    const known: Known = { fingerprint, actor: exchange.caller.actor, ended };
    calls.set(id, known);
    const forget = () => {
      if (calls.get(id) === known) calls.delete(id);
    };
    ended.then(({ isFinal }) => isFinal || forget(), forget);
    return (await ended).result;
  };
}

async function endedOf(call: () => Promise<Ended>, signal: AbortSignal): Promise<Ended> {
  try {
    return await call();
  } catch (error) {
    if (!signal.aborted) throw error;
    const text =
      "The first call with this idempotency key was given up before its outcome was known: look whether it was done, and make a new call with a new key if it was not.";
    return { result: toolFailed(text, "outcome_unknown"), isFinal: true, sources: [] };
  }
}
