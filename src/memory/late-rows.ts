import type { AuditRow } from "../tools/ports.ts";
import { forgotten, namingOf } from "./quotes.ts";

/** Longer than any tool call may take. */
const keptMs = 15 * 60_000;
const maxKept = 1000;

interface Gone {
  readonly at: number;
  readonly userId: string;
  readonly ids: readonly string[];
  readonly clean: Cleaner;
}

/** What calls of others that were under way when somebody was forgotten would still write of them: their own are waited for. */
export interface LateRows {
  /** Remembered in memory alone, for as long as a call can take: their id, and those of their direct channels. */
  gone(userId: string, channelIds: readonly string[]): void;
  /** A row of the audit log without those who are gone since its call began. */
  clean(row: AuditRow): AuditRow;
}

export function createLateRows(now: () => number): LateRows {
  let people: readonly Gone[] = [];
  return {
    gone(userId, channelIds) {
      const others = people.filter((one) => one.at > now() - keptMs && one.userId !== userId);
      // Looked for a second time, their channels are not known any more.
      const before = people.find((one) => one.userId === userId)?.ids ?? [];
      const ids = [...new Set([userId, ...channelIds, ...before])];
      people = [...others.slice(1 - maxKept), { at: now(), userId, ids, clean: cleanerOf(ids) }];
    },
    clean: (row) =>
      people.reduce(
        (left, { at, userId, clean }) => (row.at > at ? left : cleanRow(left, userId, clean)),
        row,
      ),
  };
}

type Cleaner = <Text extends string | null>(text: Text) => Text | string;

/** Takes ids out of a text that stays otherwise. */
export function cleanerOf(ids: readonly string[]): Cleaner {
  const names = ids.map((id) => new RegExp(namingOf(id).source, "g"));
  return (text) =>
    text === null ? text : names.reduce((left, name) => left.replace(name, forgotten), `${text}`);
}

function cleanRow(row: AuditRow, userId: string, clean: Cleaner): AuditRow {
  const link = (id: string | null) => (row.actorUserId === userId ? null : clean(id));
  return {
    ...row,
    ...{ actorUserId: clean(row.actorUserId), channelId: clean(row.channelId) },
    ...{ sessionId: link(row.sessionId), turnId: link(row.turnId), tokenId: link(row.tokenId) },
    ...{ toolName: clean(row.toolName), targets: clean(row.targets) },
    ...{ reason: clean(row.reason), approvedBy: clean(row.approvedBy) },
  };
}
