import { readOr } from "./damaged.ts";
import { listHas } from "./footprint.ts";
import { fromOwnJson } from "./json.ts";
import { placeOf, type RawRow, type SealedTable, sealedTables } from "./sealed-columns.ts";
import type { Store } from "./store.ts";
import { sweep } from "./sweep.ts";

/** What stands where something named a person who has been forgotten. */
export const withheldQuote = "(This named somebody who has asked to be forgotten, and is withheld.)";
/** In place of an id that stands alone. Never an id of Discord's, so that it is found nowhere. */
export const forgotten = "forgotten";

type SealedName = (typeof sealedTables)[number]["table"];

interface Quoting {
  readonly form: "text" | "json";
  /** SQL: the row is the person's own, and is deleted as such. */
  readonly own: string;
  /** SQL: somebody works with it now, so that it must stay as it is for the time being. */
  readonly busy: string;
}

const ofTurn = (condition: string): string =>
  `EXISTS (SELECT 1 FROM turns AS t WHERE t.seq = turn_seq AND ${condition})`;

/** Of each sealed table; null for one that quotes nobody. A new one does not compile until it stands here. */
export const quoting: Readonly<Record<SealedName, Quoting | null>> = {
  turns: { form: "text", own: "user_id = $id", busy: "ended_at IS NULL" },
  messages: { form: "json", own: ofTurn("t.user_id = $id"), busy: ofTurn("t.ended_at IS NULL") },
  tool_calls: { form: "json", own: ofTurn("t.user_id = $id"), busy: ofTurn("t.ended_at IS NULL") },
  approvals: {
    form: "json",
    own: "user_id = $id",
    busy: `(state IN ('pending', 'approved') AND expires_at > $now)
      OR EXISTS (SELECT 1 FROM turns AS t WHERE t.id = turn_id AND t.ended_at IS NULL)`,
  },
  summaries: {
    form: "text",
    own: "EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = conversation_id AND c.user_id = $id)",
    busy: "0",
  },
  preferences: { form: "json", own: "user_id = $id", busy: "0" },
  posts: { form: "text", own: "0", busy: "state IN ('pending', 'sending')" },
  memories: { form: "text", own: "user_id = $id", busy: "0" },
  gateway_sessions: null,
};

/** Approvals hold both forms. */
const plainColumns: readonly string[] = ["question", "public_text"];

/** Tables whose `sources` name where a block came from. */
const sourced: readonly SealedName[] = ["messages", "tool_calls", "summaries", "memories"];

/**
 * Withholds in what is other people's whatever names the person by id, and takes the person's own things and direct
 * channels out of the sources. Returns how many rows somebody works with just now: they are left as they are.
 */
export async function withholdQuotes(
  store: Store,
  userId: string,
  channelIds: readonly string[],
): Promise<number> {
  let left = 0;
  for (const table of sealedTables) {
    const how = quoting[table.table];
    if (how !== null) left += await withholdIn(store, table, how, userId);
    if (sourced.includes(table.table)) await withoutSources(store, table.table, userId, channelIds);
  }
  return left;
}

async function withholdIn(store: Store, table: SealedTable, how: Quoting, id: string): Promise<number> {
  const { sqlite, encryption } = store;
  const names = [...new Set([...table.key, ...table.columns])].join(", ");
  const query = `SELECT rowid AS at, ${names}, (${how.busy}) AS busy FROM ${table.table}
    WHERE rowid > $low AND rowid <= $high AND NOT (${how.own})`;
  const naming: Naming = { text: namingOf(id), number: Number(id) };
  let left = 0;
  const hits = (row: RawRow) =>
    table.columns.flatMap((column) => {
      const sealed = row[column];
      if (!(sealed instanceof Uint8Array)) return [];
      const place = placeOf(table, column, row);
      // One that is damaged is read by nobody, and must not keep the rest from being forgotten.
      return readOr([], { table: table.table, row: String(place.row) }, () => {
        const plain = encryption.open(place, sealed);
        const isJson = how.form === "json" && !plainColumns.includes(column);
        if (!naming.text.test(plain) && !(isJson && plain.includes(String(naming.number)))) return [];
        const clean = isJson ? inJson(plain, naming) : withheldQuote;
        return clean === plain ? [] : [{ column, sealed: encryption.seal(place, clean) }];
      });
    });
  const now = table.table === "approvals" ? { now: store.now() } : {};
  const values = how.own.includes("$id") ? { id, ...now } : now;
  await sweep(store, table.table, query, values, (rows) => {
    for (const row of rows) {
      const found = hits(row);
      if (found.length === 0) continue;
      if (row.busy === 1) left += 1;
      else
        for (const { column, sealed } of found)
          sqlite.query(`UPDATE ${table.table} SET ${column} = ? WHERE rowid = ?`).run(sealed, Number(row.at));
    }
  });
  return left;
}

/**
 * A public profile is left out, since anybody may read it. What only that person could read becomes a source that
 * nobody knows: the block that rests on it is then withheld from everybody.
 */
async function withoutSources(
  store: Store,
  table: SealedName,
  userId: string,
  channelIds: readonly string[],
): Promise<void> {
  const own = new Set([`self:${userId}`, ...channelIds.map((id) => `channel:${id}`)]);
  const update = store.sqlite.prepare(`UPDATE ${table} SET sources = ? WHERE rowid = ?`);
  const query = `SELECT rowid AS at, sources FROM ${table} WHERE rowid > $low AND rowid <= $high
    AND ${listHas("sources", "value IN (SELECT value FROM json_each($gone))")}`;
  const gone = JSON.stringify([...own, `user:${userId}`]);
  await sweep(store, table, query, { gone }, (rows) => {
    for (const { at, sources } of rows) {
      const before = fromOwnJson<readonly string[]>(String(sources));
      const after = before.flatMap((source) =>
        source === `user:${userId}` ? [] : [own.has(source) ? forgotten : source],
      );
      update.run(JSON.stringify([...new Set(after)]), Number(at));
    }
  });
}

/** The id as a number of its own, and not as a part of a longer one. */
export const namingOf = (id: string): RegExp => new RegExp(`(?<!\\d)${id}(?!\\d)`);

interface Naming {
  readonly text: RegExp;
  readonly number: number;
}

function inJson(json: string, naming: Naming): string {
  return JSON.stringify(withoutNaming(fromOwnJson<unknown>(json), naming));
}

/**
 * An id that stands alone is replaced, a text that holds one is withheld whole; the shape stays as it was. A model that
 * gives an id as a number has lost its last digits, as every number of that size does.
 */
function withoutNaming(value: unknown, naming: Naming): unknown {
  if (typeof value === "string") return withoutNamingText(value, naming.text);
  if (typeof value === "number") return value === naming.number ? forgotten : value;
  if (Array.isArray(value)) {
    const kept = value.filter((inner) => !isSigned(inner) || !naming.text.test(JSON.stringify(inner)));
    return kept.map((inner) => withoutNaming(inner, naming));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      withoutNamingText(name, naming.text),
      withoutNaming(inner, naming),
    ]),
  );
}

function withoutNamingText(text: string, naming: RegExp): string {
  if (!naming.test(text)) return text;
  return text.replace(naming, "") === "" ? forgotten : withheldQuote;
}

/** The model signs its thinking: changed, it would be refused, and left out, it is not missed. */
function isSigned(block: unknown): boolean {
  return typeof block === "object" && block !== null && "type" in block && block.type === "thinking";
}
