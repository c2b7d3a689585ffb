import type { Store } from "./store.ts";

/** Whose data it is about. */
export interface Subject {
  readonly kind: "user" | "guild";
  readonly id: string;
}

/** A constant of ours, and so fit to be put into a query. */
export const columnOf = ({ kind }: Subject): "user_id" | "guild_id" =>
  kind === "user" ? "user_id" : "guild_id";

/** SQL: a column of JSON holds something of which that is true. One that is damaged holds nothing, and stops nobody. */
export const listHas = (column: string, condition: string): string =>
  `CASE WHEN json_valid(${column}) THEN EXISTS (SELECT 1 FROM json_each(${column}) WHERE ${condition}) ELSE 0 END`;

/** How much is stored of a person or a guild. */
export interface Footprint {
  readonly conversations: number;
  readonly turns: number;
  readonly messages: number;
  readonly toolCalls: number;
  readonly sessions: number;
  readonly memories: number;
  readonly preferences: number;
  readonly tokens: number;
  readonly auditRows: number;
}

export function footprint({ sqlite }: Store, subject: Subject): Footprint {
  const { kind, id } = subject;
  const column = columnOf(subject);
  const count = (sql: string) => sqlite.query<{ n: number }, [string]>(sql).get(id)?.n ?? 0;
  const mine = `(SELECT id FROM conversations WHERE ${column} = ?)`;
  const ofTurns = (table: string) =>
    count(
      `SELECT count(*) AS n FROM turns JOIN ${table} ON turn_seq = seq WHERE turns.conversation_id IN ${mine}`,
    );
  const ofUser = (table: string) =>
    kind === "user" ? count(`SELECT count(*) AS n FROM ${table} WHERE user_id = ?`) : 0;
  const tokens = "SELECT count(*) AS n FROM api_tokens WHERE";
  return {
    conversations: count(`SELECT count(*) AS n FROM conversations WHERE ${column} = ?`),
    turns: count(`SELECT count(*) AS n FROM turns WHERE conversation_id IN ${mine}`),
    messages: ofTurns("messages"),
    toolCalls: ofTurns("tool_calls"),
    sessions: count(`SELECT count(*) AS n FROM sessions WHERE conversation_id IN ${mine}`),
    memories: ofUser("memories"),
    preferences: ofUser("preferences"),
    tokens:
      kind === "user"
        ? count(`${tokens} user_id = ?`)
        : count(`${tokens} ${listHas("guild_ids", "value = ?")}`),
    auditRows: count(
      `SELECT count(*) AS n FROM audit WHERE ${kind === "user" ? "actor_user_id" : "guild_id"} = ?`,
    ),
  };
}
