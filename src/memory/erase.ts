import {
  eraseApprovals,
  eraseAudit,
  eraseChannels,
  erasePosts,
  eraseSentMessages,
  eraseTokens,
} from "./erase-rows.ts";
import { columnOf, type Footprint, footprint, type Subject } from "./footprint.ts";
import type { LateRows } from "./late-rows.ts";
import { withholdQuotes } from "./quotes.ts";
import type { Store } from "./store.ts";
import { afterOthers } from "./sweep.ts";
import { forgetSpending } from "./token-usage.ts";

export interface Holdings {
  readonly conversationIds: readonly string[];
  readonly sessionIds: readonly string[];
  /** Of a guild, those that are good for it alone. */
  readonly tokenIds: readonly string[];
  /** A person's direct channels, a guild's channels. */
  readonly channelIds: readonly string[];
}

export interface Eraser {
  footprint(subject: Subject): Footprint;
  /** What else there may be of them in a running service leads from these. */
  holdings(subject: Subject): Holdings;
  /** Nothing of theirs is posted from now on. */
  silence(subject: Subject): void;
  /**
   * Deletes all that is theirs, in small transactions that let others go first in between, and withholds what quotes a
   * person by id. May be repeated, and goes on where a killed process left it. Resolves with how many quotes others
   * were working with, which are left as they are.
   */
  erase(subject: Subject): Promise<number>;
  /** The quotes alone. */
  withhold(userId: string): Promise<number>;
  /** Writes over what the file and its log still hold of what was deleted. False while somebody else reads the log. */
  scrub(): boolean;
}

/** What is still to be planned or shown in Discord, and the index that holds nothing else. */
const undelivered = [
  ["turns", "turns_undelivered", "pending"],
  ["approvals", "approvals_unasked", "pending"],
  ["approvals", "approvals_asked", "planned"],
] as const;

/** Turns of one transaction, with all that belongs to them. */
const turnBatch = 5;

export function createEraser(store: Store, late: Pick<LateRows, "gone">, flushAudit: () => void): Eraser {
  const { sqlite } = store;
  const conversationIds = (subject: Subject) => placesOf(store, subject).map(({ id }) => id);
  const clearCaches = () => {
    const { histories, preferences } = store.caches();
    histories.clear();
    preferences.clear();
  };
  return {
    footprint: (subject) => footprint(store, subject),
    holdings: (subject) => holdingsOf(store, subject),
    silence(subject) {
      const ids = JSON.stringify(conversationIds(subject));
      store.write(() => {
        // By the index of those few: a conversation can have any number of turns.
        for (const [table, index, delivery] of undelivered)
          sqlite
            .query(
              `UPDATE ${table} INDEXED BY ${index} SET delivery = NULL
               WHERE delivery = '${delivery}' AND conversation_id IN (SELECT value FROM json_each(?))`,
            )
            .run(ids);
      });
    },
    async erase(subject) {
      store.group.flush();
      flushAudit();
      const places = placesOf(store, subject);
      // What only these ids lead to goes first: were the conversations gone, they would be known no more.
      const channels = channelsOf(store, subject, places);
      if (subject.kind === "user") late.gone(subject.id, channels);
      await erasePosts(store, subject, channels);
      await eraseApprovals(store, subject);
      await eraseSentMessages(store, subject, channels);
      await eraseAudit(store, subject, channels);
      await eraseChannels(store, channels);
      await eraseTokens(store, subject);
      const left = subject.kind === "user" ? await withholdQuotes(store, subject.id, channels) : 0;
      for (const { id } of places) await eraseConversation(store, id);
      if (subject.kind === "user") erasePersonal(store, subject.id);
      forgetSpending(store, subject);
      clearCaches();
      return left;
    },
    async withhold(userId) {
      const left = await withholdQuotes(store, userId, []);
      clearCaches();
      return left;
    },
    scrub() {
      store.group.flush();
      const row = sqlite.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get();
      return row?.busy === 0;
    },
  };
}

function holdingsOf(store: Store, subject: Subject): Holdings {
  const { sqlite } = store;
  const places = placesOf(store, subject);
  const sessionsOf = sqlite.prepare<{ id: string }, [string]>(
    "SELECT id FROM sessions WHERE conversation_id = ?",
  );
  const tokens = subject.kind === "user" ? "user_id = ?" : "guild_ids = json_array(?)";
  return {
    conversationIds: places.map(({ id }) => id),
    sessionIds: places.flatMap((place) => sessionsOf.all(place.id).map(({ id }) => id)),
    tokenIds: sqlite
      .query<{ id: string }, [string]>(`SELECT id FROM api_tokens WHERE ${tokens}`)
      .all(subject.id)
      .map(({ id }) => id),
    channelIds: channelsOf(store, subject, places),
  };
}

interface Place {
  readonly id: string;
  readonly channelId: string;
  readonly guildId: string | null;
}

function placesOf({ sqlite }: Store, subject: Subject): readonly Place[] {
  return sqlite
    .query<Place, [string]>(
      `SELECT id, channel_id AS channelId, guild_id AS guildId FROM conversations WHERE ${columnOf(subject)} = ?`,
    )
    .all(subject.id);
}

/**
 * Of a guild, the channels that were spoken in. Of a person, their direct channels: those of the chat, and those that
 * something was posted in for them, since a program may call any channel a direct one.
 */
function channelsOf(
  { sqlite }: Store,
  { kind, id: user }: Subject,
  places: readonly Place[],
): readonly string[] {
  if (kind === "guild") return [...new Set(places.map(({ channelId }) => channelId))];
  const isDirect = sqlite.prepare<unknown, { conversation: string; channel: string; user: string }>(
    `SELECT 1 FROM turns WHERE conversation_id = $conversation AND origin = 'discord'
     UNION ALL SELECT 1 FROM sessions WHERE conversation_id = $conversation AND token_id IS NULL
     UNION ALL SELECT 1 FROM sent_messages WHERE channel_id = $channel AND user_id = $user LIMIT 1`,
  );
  return places.flatMap(({ id, channelId, guildId }) =>
    guildId === null && isDirect.get({ conversation: id, channel: channelId, user }) !== null
      ? [channelId]
      : [],
  );
}

/** Its turns with their messages, calls and approvals, then itself with its sessions and summary. */
async function eraseConversation(store: Store, id: string): Promise<void> {
  const { sqlite } = store;
  const removeTurns = sqlite.prepare<{ seq: number }, [string, number]>(
    `DELETE FROM turns WHERE seq IN (SELECT seq FROM turns WHERE conversation_id = ? LIMIT ?) RETURNING seq`,
  );
  for (;;) {
    const removed = store.write(() => removeTurns.all(id, turnBatch)).length;
    await afterOthers();
    if (removed < turnBatch) break;
  }
  store.write(() => {
    sqlite.query("DELETE FROM turns WHERE conversation_id = ?").run(id);
    sqlite.query("DELETE FROM conversations WHERE id = ?").run(id);
  });
}

function erasePersonal(store: Store, userId: string): void {
  const { sqlite } = store;
  store.write(() => {
    for (const table of ["preferences", "memories"])
      sqlite.query(`DELETE FROM ${table} WHERE user_id = ?`).run(userId);
  });
}
