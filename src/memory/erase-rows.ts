import { columnOf, listHas, type Subject } from "./footprint.ts";
import { fromOwnJson } from "./json.ts";
import { cleanerOf } from "./late-rows.ts";
import { forgotten, namingOf } from "./quotes.ts";
import type { Store } from "./store.ts";
import { sweep } from "./sweep.ts";

/** What the eraser does in each of the tables that no conversation leads to. `channels`: see `channelsOf` there. */

export async function erasePosts(store: Store, subject: Subject, channels: readonly string[]): Promise<void> {
  const column = columnOf(subject);
  const pinged = subject.kind === "user" ? `OR ${listHas("allowed_mention_user_ids", "value = $id")}` : "";
  const query = `SELECT seq, purpose, subject FROM posts WHERE seq > $low AND seq <= $high AND (
    channel_id IN (SELECT value FROM json_each($channels)) ${pinged}
    OR (purpose = 'answer' AND EXISTS (SELECT 1 FROM turns AS t WHERE t.id = subject AND t.${column} = $id))
    OR (purpose = 'question' AND EXISTS (SELECT 1 FROM approvals AS a WHERE a.id = subject AND a.${column} = $id)))`;
  // Planned together, and so in a row: only the first of a notice names the person.
  const remove = store.sqlite.prepare(
    "DELETE FROM posts WHERE seq >= $seq AND seq < $seq + 64 AND purpose = $purpose AND subject = $subject",
  );
  const values = { id: subject.id, channels: JSON.stringify(channels) };
  await sweep(store, "posts", query, values, (rows) => {
    for (const { seq, purpose, subject: of } of rows)
      remove.run({ seq: Number(seq), purpose: String(purpose), subject: String(of) });
  });
}

/** Those of a turn are deleted with it. */
export async function eraseApprovals(store: Store, subject: Subject): Promise<void> {
  const column = columnOf(subject);
  const decided = subject.kind === "user" ? "OR decided_by = $id" : "";
  const query = `SELECT seq, ${column} = $id AS own FROM approvals WHERE seq > $low AND seq <= $high
    AND ((${column} = $id AND turn_id IS NULL) ${decided})`;
  const remove = store.sqlite.prepare("DELETE FROM approvals WHERE seq = ?");
  const unname = store.sqlite.prepare("UPDATE approvals SET decided_by = ? WHERE seq = ?");
  await sweep(store, "approvals", query, { id: subject.id }, (rows) => {
    for (const { seq, own } of rows)
      if (own === 1) remove.run(Number(seq));
      else unname.run(forgotten, Number(seq));
  });
}

export async function eraseSentMessages(
  store: Store,
  subject: Subject,
  channels: readonly string[],
): Promise<void> {
  const own = subject.kind === "user" ? "user_id = $id OR" : "";
  const query = `SELECT rowid AS at FROM sent_messages WHERE rowid > $low AND rowid <= $high
    AND (${own} channel_id IN (SELECT value FROM json_each($channels)))`;
  const values = { channels: JSON.stringify(channels), ...(own === "" ? {} : { id: subject.id }) };
  const remove = store.sqlite.prepare("DELETE FROM sent_messages WHERE rowid = ?");
  await sweep(store, "sent_messages", query, values, (rows) => {
    for (const { at } of rows) remove.run(Number(at));
  });
}

/**
 * A guild's rows are deleted. A person's stay for the others' sake, without the person: who moderated whom must not
 * be lost because one of them leaves.
 */
export async function eraseAudit(store: Store, subject: Subject, channels: readonly string[]): Promise<void> {
  const { sqlite } = store;
  const window = "id > $low AND id <= $high";
  if (subject.kind === "guild") {
    const remove = sqlite.prepare("DELETE FROM audit WHERE id = ?");
    const query = `SELECT id FROM audit WHERE ${window} AND guild_id = $id`;
    await sweep(store, "audit", query, { id: subject.id }, (rows) => {
      for (const { id } of rows) remove.run(Number(id));
    });
    return;
  }
  const query = `SELECT * FROM audit WHERE ${window} AND (actor_user_id = $id OR approved_by = $id
    OR instr(targets, $id) OR instr(tool_name, $id) OR instr(coalesce(reason, ''), $id)
    OR channel_id IN (SELECT value FROM json_each($channels))
    OR EXISTS (SELECT 1 FROM json_each($channels) WHERE instr(targets, value)))`;
  const unname = sqlite.prepare(
    `UPDATE audit SET actor_user_id = ?, channel_id = ?, session_id = ?, turn_id = ?, token_id = ?, tool_name = ?,
      targets = ?, reason = ?, approved_by = ? WHERE id = ?`,
  );
  const cleaner = cleanerOf([subject.id, ...channels]);
  const clean = (value: unknown): string | null => cleaner(value === null ? null : String(value));
  const values = { id: subject.id, channels: JSON.stringify(channels) };
  await sweep(store, "audit", query, values, (rows) => {
    for (const row of rows) {
      const own = row.actor_user_id === subject.id;
      const link = (name: string) => (own ? null : clean(row[name]));
      const who = [clean(row.actor_user_id), clean(row.channel_id)];
      const links = [link("session_id"), link("turn_id"), link("token_id")];
      const what = [clean(row.tool_name), clean(row.targets), clean(row.reason), clean(row.approved_by)];
      unname.run(...who, ...links, ...what, Number(row.id));
    }
  });
}

/** Tombstones stay, without the channel; the marks of channels that nobody speaks in with us any more go. */
export async function eraseChannels(store: Store, channels: readonly string[]): Promise<void> {
  if (channels.length === 0) return;
  const { sqlite } = store;
  const query = `SELECT rowid AS at FROM seen_messages WHERE rowid > $low AND rowid <= $high
    AND channel_id IN (SELECT value FROM json_each($channels))`;
  const unname = sqlite.prepare("UPDATE seen_messages SET channel_id = '' WHERE rowid = ?");
  await sweep(store, "seen_messages", query, { channels: JSON.stringify(channels) }, (rows) => {
    for (const { at } of rows) unname.run(Number(at));
  });
  const unmark = sqlite.prepare("DELETE FROM channel_marks WHERE channel_id = ?");
  store.write(() => {
    for (const id of channels) unmark.run(id);
  });
}

/** A guild's tokens that are good for others, too, stay good for those. */
export async function eraseTokens(store: Store, subject: Subject): Promise<void> {
  const { sqlite } = store;
  const remove = sqlite.prepare("DELETE FROM api_tokens WHERE id = ?");
  if (subject.kind === "user") {
    const naming = new RegExp(namingOf(subject.id).source, "g");
    const rename = sqlite.prepare("UPDATE api_tokens SET name = ? WHERE id = ?");
    const query = `SELECT id, name, user_id FROM api_tokens WHERE rowid > $low AND rowid <= $high
      AND (user_id = $id OR instr(name, $id))`;
    return sweep(store, "api_tokens", query, { id: subject.id }, (rows) => {
      for (const { id, name, user_id } of rows)
        if (user_id === subject.id) remove.run(String(id));
        else rename.run(String(name).replace(naming, forgotten), String(id));
    });
  }
  const query = `SELECT id, guild_ids FROM api_tokens WHERE rowid > $low AND rowid <= $high
    AND ${listHas("guild_ids", "value = $id")}`;
  const narrow = sqlite.prepare("UPDATE api_tokens SET guild_ids = ? WHERE id = ?");
  return sweep(store, "api_tokens", query, { id: subject.id }, (rows) => {
    for (const { id, guild_ids } of rows) {
      const others = fromOwnJson<readonly string[]>(String(guild_ids)).filter((one) => one !== subject.id);
      if (others.length === 0) remove.run(String(id));
      else narrow.run(JSON.stringify(others), String(id));
    }
  });
}
