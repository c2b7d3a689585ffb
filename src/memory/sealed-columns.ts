import type { Place } from "./encryption.ts";

export interface SealedTable {
  readonly table: string;
  /** The columns that name a row in the place of a sealed value, and what stands between them. */
  readonly key: readonly string[];
  readonly separator: "." | "/";
  /** The sealed columns. */
  readonly columns: readonly string[];
}

/**
 * Every sealed column, for what goes over all of them. A test holds this list to the schema: a column of bytes
 * stands here, or there with the reason why it is not sealed.
 */
export const sealedTables = [
  {
    table: "turns",
    key: ["id"],
    separator: ".",
    columns: ["text", "preamble", "answer", "idempotency_key"],
  },
  { table: "messages", key: ["turn_seq", "ordinal"], separator: ".", columns: ["content"] },
  { table: "tool_calls", key: ["turn_seq", "step", "tool_use_id"], separator: ".", columns: ["result"] },
  { table: "approvals", key: ["id"], separator: ".", columns: ["input", "question", "public_text"] },
  { table: "summaries", key: ["conversation_id", "epoch"], separator: "/", columns: ["text"] },
  { table: "preferences", key: ["user_id"], separator: ".", columns: ["value"] },
  { table: "posts", key: ["nonce"], separator: ".", columns: ["content"] },
  { table: "memories", key: ["id"], separator: ".", columns: ["text"] },
  { table: "gateway_sessions", key: ["shard_id"], separator: ".", columns: ["session_id", "resume_url"] },
] as const satisfies readonly SealedTable[];

/** A row as SQLite gives it. */
export type RawRow = Readonly<Record<string, unknown>>;

export function placeOf({ table, key, separator }: SealedTable, column: string, row: RawRow): Place {
  return { table, column, row: key.map((name) => String(row[name])).join(separator) };
}
