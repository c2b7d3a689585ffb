import type { FlowPort } from "../agent/ports.ts";
import type { PersonalData } from "../discord/chat/personal-commands.ts";
import type { Erasing } from "../erasing/erasing.ts";
import type { Erasures } from "../memory/erasures.ts";
import type { Exporter } from "../memory/export.ts";
import type { ExportRecord } from "../memory/export-turn.ts";

export interface AppPersonalDeps {
  readonly erasures: Pick<Erasures, "requestByMessage">;
  readonly erasing: Pick<Erasing, "runDue">;
  readonly exporter: Exporter;
  readonly flow: Pick<FlowPort, "restricted">;
  readonly onFailure: (error: unknown) => void;
  readonly now: () => number;
}

/** Of finding out what somebody may still read of their own things. */
const lookupMs = 10_000;

/** What a person can have in chat of what is stored of them. */
export function createAppPersonal(deps: AppPersonalDeps): PersonalData {
  const { erasures, erasing, exporter, flow, onFailure, now } = deps;

  /** What was read when the person might is not given to them when they may no more. */
  async function withheld(
    userId: string,
    records: readonly ExportRecord[],
  ): Promise<readonly ExportRecord[]> {
    const restricted = new Map<string | null, ReadonlySet<string>>();
    for (const [guildId, ofGuild] of Map.groupBy(records, guildOf)) {
      const sources = [...new Set(ofGuild.flatMap((record) => record.sources ?? []))];
      const closed = await flow
        .restricted({ kind: "user", guildId, userId }, sources, AbortSignal.timeout(lookupMs))
        .catch(() => sources);
      restricted.set(guildId, new Set(closed));
    }
    return records.map((record) => {
      const closed = restricted.get(guildOf(record));
      return record.sources?.some((source) => closed?.has(source)) ? withoutWhatWasRead(record) : record;
    });
  }

  return {
    async forget(userId, message) {
      await erasures.requestByMessage(userId, message);
      erasing.runDue().catch(onFailure);
    },
    async export(userId, maxBytes) {
      const exported_at = new Date(now()).toISOString();
      const head = { format: "discord-mcp export", version: 1, user_id: userId, exported_at };
      const parts: string[] = [];
      let bytes = 0;
      for (let cursor: string | null = null; ; ) {
        const page = exporter.page(userId, cursor);
        for (const record of await withheld(userId, page.records)) {
          const part = JSON.stringify(record);
          bytes += Buffer.byteLength(part) + 2;
          if (bytes > maxBytes) return null;
          parts.push(part);
        }
        if (page.next === null) break;
        cursor = page.next;
      }
      return `${JSON.stringify(head).slice(0, -1)},"records":[\n${parts.join(",\n")}\n]}\n`;
    },
  };
}

const guildOf = ({ guild_id }: ExportRecord): string | null =>
  typeof guild_id === "string" ? guild_id : null;

const readings = ["answer", "messages", "tool_calls", "summary", "input", "question", "public_text"] as const;

function withoutWhatWasRead(record: ExportRecord): ExportRecord {
  const closed = Object.fromEntries(readings.filter((name) => name in record).map((name) => [name, null]));
  const text = record.type === "memory" ? { text: null } : {};
  return { ...record, ...closed, ...text, withheld: "It rests on places that you cannot read any more." };
}
