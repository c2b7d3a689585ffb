import type { Database } from "bun:sqlite";
import type { Site } from "../e2e/site.ts";
import { botId } from "./world.ts";

/** What is known of a question that went wrong: what was answered to it, and what the database says of its turn. */
export function explain(
  mark: string,
  messageId: string | null,
  site: Site,
  database: Database,
): readonly string[] {
  const replies = site.discord.world.messages
    .all()
    .filter((one) => one.author.id === botId && one.message_reference?.message_id === messageId)
    .map(({ content }) => `  replied: ${JSON.stringify(content.slice(0, 160))}`);
  const rows = (sql: string, ...values: readonly string[]) =>
    database.query<object, string[]>(sql).all(...values);
  const turns = rows(
    `SELECT id, seq, state, starts, stop_reason, error_code, answer_to, delivery, origin, accepted_at, ended_at
     FROM turns WHERE discord_message_id = ?`,
    messageId ?? "",
  );
  const ofTurns = turns.flatMap((turn) => {
    const { id, seq } = { id: "", seq: 0, ...turn };
    return [
      ...rows(
        "SELECT step, tool_name, state, started_at, ended_at FROM tool_calls WHERE turn_seq = ?",
        String(seq),
      ),
      ...rows("SELECT kind, state, created_at, decided_at, expires_at FROM approvals WHERE turn_id = ?", id),
      ...rows("SELECT purpose, ordinal, state, sending_at, channel_id FROM posts WHERE subject = ?", id),
    ];
  });
  const said =
    messageId === null ? "by a program" : (site.discord.world.messages.get(messageId)?.timestamp ?? "gone");
  return [
    `${mark}: asked ${said}`,
    ...replies,
    ...[...turns, ...ofTurns].map((row) => `  ${JSON.stringify(row)}`),
  ];
}
