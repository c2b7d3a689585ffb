import { Type } from "typebox";
import type { FlowPort, Preferences } from "../agent/ports.ts";
import { AppError } from "../errors.ts";
import type { HistoryEntry, Session } from "./ports.ts";

/** Entries of `conversation_history`. */
export const historyEntries = 50;
/** Bytes of text in `conversation_history`; the oldest entries give way first. */
export const historyBytes = 256 * 1024;
/** Of finding out what somebody may still read of their conversation. */
const lookupMs = 10_000;

export const HistoryLine = Type.Object({
  role: Type.Union([Type.Literal("user"), Type.Literal("assistant"), Type.Literal("tool")]),
  content: Type.String(),
  timestamp: Type.Number({ description: "Seconds since 1970, with fractions" }),
  turn_id: Type.String(),
  tool_name: Type.Optional(Type.String()),
});

/** `context` as it is on the wire. */
export const WireContext = Type.Object({
  session_id: Type.String(),
  user_id: Type.String(),
  channel_id: Type.String(),
  guild_id: Type.Union([Type.String(), Type.Null()]),
  conversation_history: Type.Array(HistoryLine),
  user_preferences: Type.Object({
    language: Type.Optional(Type.String()),
    tone: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    instructions: Type.Optional(Type.String()),
  }),
  active_tools: Type.Array(Type.String(), { description: "Empty: all that the actor may use" }),
});
export type WireContext = Readonly<Type.Static<typeof WireContext>>;

export function wireContext(
  session: Session,
  history: readonly HistoryEntry[],
  preferences: Preferences,
): WireContext {
  return {
    session_id: session.id,
    user_id: session.userId,
    channel_id: session.channelId,
    guild_id: session.guildId,
    conversation_history: wireHistory(history),
    user_preferences: { ...preferences },
    active_tools: [...session.activeTools],
  };
}

export function wireHistory(history: readonly HistoryEntry[]): WireContext["conversation_history"] {
  return newestWithin(history, historyBytes).map((entry) => ({
    role: entry.role,
    content: entry.content,
    timestamp: entry.timestamp,
    turn_id: entry.turnId,
    ...(entry.toolName === undefined ? {} : { tool_name: entry.toolName }),
  }));
}

/** What stands in the place of what somebody may not read any more. */
export const withheldNote = "(This draws on a place that you cannot read any more, and is withheld.)";

/** `live`: it was read for them just now, and they must not have lost sight of it since. `again`: they must be able to read it. */
export type Telling = "live" | "again";

/** Those of the sources that somebody may not be told of now, and those of which it cannot be said. Never rejects. */
export async function unreadableBy(
  flow: Pick<FlowPort, "restricted">,
  { guildId, userId }: Pick<Session, "guildId" | "userId">,
  sources: readonly string[],
  telling: Telling = "again",
): Promise<readonly string[]> {
  if (sources.length === 0) return sources;
  const signal = AbortSignal.timeout(lookupMs);
  const person = { kind: "user", guildId, userId, ...(telling === "live" && { isAsker: true }) } as const;
  return flow.restricted(person, sources, signal).catch(() => sources);
}

/** What was read when the person might is not read to them when they may no more. */
export async function readableBy(
  flow: Pick<FlowPort, "restricted">,
  person: Pick<Session, "guildId" | "userId">,
  history: readonly HistoryEntry[],
): Promise<readonly HistoryEntry[]> {
  const sources = [...new Set(history.flatMap((entry) => entry.sources))];
  const isClosed = new Set(await unreadableBy(flow, person, sources));
  if (isClosed.size === 0) return history;
  return history.map((entry) =>
    entry.sources.some((source) => isClosed.has(source)) ? { ...entry, content: withheldNote } : entry,
  );
}

/** Makes sure that somebody may still be told what an answer rests on. Throws AppError `permission_denied`. */
export async function assertMayRead(
  flow: Pick<FlowPort, "restricted">,
  person: Pick<Session, "guildId" | "userId">,
  sources: readonly string[],
  telling: Telling = "again",
): Promise<void> {
  if ((await unreadableBy(flow, person, sources, telling)).length === 0) return;
  throw new AppError(
    "permission_denied",
    "This answer draws on a place that you cannot read any more, and is withheld; ask anew, with another idempotency key.",
  );
}

function newestWithin(history: readonly HistoryEntry[], bytes: number): readonly HistoryEntry[] {
  let left = bytes;
  for (let index = history.length - 1; index >= 0; index--) {
    left -= Buffer.byteLength(history[index]?.content ?? "");
    if (left < 0) return history.slice(index + 1);
  }
  return history;
}
