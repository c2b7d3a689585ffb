import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { unreadable } from "../errors.ts";
import type { AuditRow } from "../tools/ports.ts";

export const verdicts = [
  "done",
  "failed",
  "refused",
  "unknown",
  "asked",
] as const satisfies readonly AuditRow["verdict"][];

const nullableText = Type.Union([Type.String(), Type.Null()]);

/** A row of the audit log as the operator sees it. Times in ISO 8601; `id` rises with each row. */
const AuditLine = Type.Object({
  id: Type.Integer(),
  at: Type.String(),
  actor_kind: Type.Enum(["user", "bot"]),
  actor_user_id: Type.String(),
  guild_id: nullableText,
  channel_id: Type.String(),
  session_id: nullableText,
  turn_id: nullableText,
  token_id: nullableText,
  tool_name: Type.String(),
  targets: Type.String(),
  verdict: Type.Enum([...verdicts]),
  reason: nullableText,
  duration_ms: Type.Integer(),
  approval_id: nullableText,
  approved_by: nullableText,
});
export type AuditLine = Static<typeof AuditLine>;

const page = Compile(Type.Array(AuditLine));

/** What came over the control socket. Throws AppError `invalid_data`. */
export function readAuditPage(value: unknown): readonly AuditLine[] {
  if (page.Check(value)) return value;
  throw unreadable("answer");
}

/** Rows of one page: an answer over the control socket stays small. */
export const pageRows = 500;

const time = Type.Integer({ minimum: 0 });
const Filter = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: pageRows }),
    before_id: Type.Optional(Type.Integer({ minimum: 1 })),
    actor_user_id: Type.Optional(Type.String()),
    guild_id: Type.Optional(Type.String()),
    tool_name: Type.Optional(Type.String()),
    verdict: Type.Optional(Type.Enum([...verdicts])),
    since: Type.Optional(time),
    until: Type.Optional(time),
  },
  { additionalProperties: false },
);
/** `since` and `until` in milliseconds since 1970: from the one on, and before the other. */
export type AuditRequest = Static<typeof Filter>;

const request = Compile(Filter);

/** The log, newest first. Implemented by `memory/`. */
export interface AuditReader {
  list(filter: {
    readonly limit: number;
    readonly beforeId?: number;
    readonly actorUserId?: string;
    readonly guildId?: string;
    readonly toolName?: string;
    readonly verdict?: AuditRow["verdict"];
    readonly since?: number;
    readonly until?: number;
  }): Promise<readonly (AuditRow & { readonly id: number })[]>;
}

/**
 * What the command `audit` asks for, whether it reaches the running service or opens the database itself: one page,
 * newest first; the smallest id is the next one's `before_id`. Throws AppError `invalid_data`.
 */
export function createAuditOperations(audit: AuditReader) {
  return {
    async audit_list(data: unknown): Promise<readonly AuditLine[]> {
      if (!request.Check(data)) throw unreadable("request");
      const { limit, before_id, actor_user_id, guild_id, tool_name, verdict, since, until } = data;
      const rows = await audit.list({
        limit,
        ...(before_id === undefined ? {} : { beforeId: before_id }),
        ...(actor_user_id === undefined ? {} : { actorUserId: actor_user_id }),
        ...(guild_id === undefined ? {} : { guildId: guild_id }),
        ...(tool_name === undefined ? {} : { toolName: tool_name }),
        ...(verdict === undefined ? {} : { verdict }),
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { until }),
      });
      return rows.map(lineOf);
    },
  };
}

function lineOf(row: AuditRow & { readonly id: number }): AuditLine {
  return {
    id: row.id,
    at: new Date(row.at).toISOString(),
    actor_kind: row.actorKind,
    actor_user_id: row.actorUserId,
    guild_id: row.guildId,
    channel_id: row.channelId,
    session_id: row.sessionId,
    turn_id: row.turnId,
    token_id: row.tokenId,
    tool_name: row.toolName,
    targets: row.targets,
    verdict: row.verdict,
    reason: row.reason,
    duration_ms: row.durationMs,
    approval_id: row.approvalId,
    approved_by: row.approvedBy,
  };
}
