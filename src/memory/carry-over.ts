import type { Database } from "bun:sqlite";
import { snowflakeAt } from "../snowflake.ts";
import type { ForgottenSince } from "./forget-again.ts";
import { checkOwner } from "./migrations.ts";

/** What a table's rows of the present database become in the restored one. Columns that the first version had. */
const carried: readonly string[] = [
  // What was answered stays answered.
  `INSERT OR IGNORE INTO main.seen_messages (message_id, channel_id, seen_at)
   SELECT message_id, channel_id, seen_at FROM present.seen_messages`,
  `INSERT OR IGNORE INTO main.idempotency_keys (hash, turn_id, seen_at)
   SELECT hash, turn_id, seen_at FROM present.idempotency_keys`,
  `INSERT INTO main.channel_marks (channel_id, message_id) SELECT channel_id, message_id FROM present.channel_marks WHERE true
   ON CONFLICT (channel_id) DO UPDATE SET message_id = excluded.message_id
   WHERE length(excluded.message_id) > length(message_id)
      OR (length(excluded.message_id) = length(message_id) AND excluded.message_id > message_id)`,
  // What was taken back stays taken back.
  `UPDATE main.api_tokens SET revoked_at = (SELECT revoked_at FROM present.api_tokens p WHERE p.id = api_tokens.id)
   WHERE revoked_at IS NULL AND id IN (SELECT id FROM present.api_tokens WHERE revoked_at IS NOT NULL)`,
  // What was spent stays spent: Discord allows so many identifies a day, we so many tokens.
  `INSERT INTO main.identifies (at) SELECT at FROM present.identifies
   WHERE at > (SELECT coalesce(max(at), 0) FROM main.identifies)`,
  `INSERT INTO main.token_usage (subject, day, tokens) SELECT subject, day, tokens FROM present.token_usage WHERE true
   ON CONFLICT (subject, day) DO UPDATE SET tokens = max(tokens, excluded.tokens)`,
];

/** What is still to be erased stays so, and wholly, since the backup has it all again. */
const wishes = `INSERT OR REPLACE INTO main.erasures
  (kind, subject, stage, due_at, requested_at, reply_channel_id, reply_message_id)
  SELECT kind, subject, 'all', due_at, requested_at, reply_channel_id, reply_message_id FROM present.erasures`;

/** Whom it has again although they were forgotten since, and that they were. */
const forgottenSince = `SELECT lower(hex(p.hash)) AS hash, p.at FROM present.forgotten_people AS p
  LEFT JOIN main.forgotten_people AS m ON m.hash = p.hash WHERE m.at IS NULL OR m.at < p.at`;
const forgotten = `INSERT INTO main.forgotten_people (hash, at) SELECT hash, at FROM present.forgotten_people WHERE true
  ON CONFLICT (hash) DO UPDATE SET at = max(at, excluded.at)`;

/**
 * Takes from the database that is being replaced what must not be undone by a restoration, and gives who was forgotten
 * since. Null when it cannot be read: then nothing is taken.
 */
export function carryOver(restored: Database, presentPath: string): ForgottenSince | null {
  try {
    restored.run("ATTACH ? AS present", [presentPath]);
  } catch {
    return null;
  }
  // Tables that the first versions did not have.
  const has = (table: string) =>
    restored.query("SELECT 1 FROM present.sqlite_schema WHERE name = ?").get(table) !== null;
  try {
    return restored.transaction(() => {
      for (const statement of carried) restored.run(statement);
      if (has("erasures")) restored.run(wishes);
      if (!has("forgotten_people")) return new Map();
      const since = restored.query<{ hash: string; at: number }, []>(forgottenSince).all();
      restored.run(forgotten);
      return new Map(since.map(({ hash, at }) => [hash, at]));
    })();
  } catch {
    return null;
  } finally {
    restored.run("DETACH present");
  }
}

/** Where it is not known what was answered since the backup, nothing that was said before `now` is. */
export function passOver(restored: Database, now: number): void {
  restored.run(
    `UPDATE channel_marks SET message_id = ?1
     WHERE length(message_id) < length(?1) OR (length(message_id) = length(?1) AND message_id < ?1)`,
    [snowflakeAt(now)],
  );
}

/** Whether it is a sound database of ours: of another's, nothing is taken. */
export function isOurs(sqlite: Database, path: string): boolean {
  try {
    return checkOwner(sqlite, path) > 0;
  } catch {
    return false;
  }
}
