import {
  type APIAuditLogEntry,
  type AuditLogEvent,
  GatewayDispatchEvents as Events,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import { guildPermissions } from "../permissions.ts";
import type { SimulatedGuild } from "../world.ts";
import type { RestRequest } from "./context.ts";

const bound = 1000;

/** What else Discord writes down, by the kind of event. */
export type AuditDetails = Pick<APIAuditLogEntry, "options" | "changes">;

/** The reason that the bot gave, or null: it comes percent-encoded. */
export function givenReason(request: RestRequest): string | null {
  const reason = request.headers.get("x-audit-log-reason");
  return reason === null ? null : decodeURIComponent(reason).slice(0, 512);
}

/** Writes down what the bot did, with the reason that it gave: https://discord.com/developers/docs/resources/audit-log */
export function audit(
  request: RestRequest,
  guild: SimulatedGuild,
  action: AuditLogEvent,
  targetId: string,
  details: AuditDetails = {},
): void {
  const reason = givenReason(request);
  const entry: APIAuditLogEntry = {
    id: request.world.ids.next(),
    action_type: action,
    user_id: request.world.botUser.id,
    target_id: targetId,
    ...details,
    ...(reason === null ? {} : { reason }),
  };
  guild.auditLog.push(entry);
  if (guild.auditLog.length > bound) guild.auditLog.shift();
  const held = guildPermissions(request.world, guild, request.world.botUser.id);
  if ((held & PermissionFlagsBits.ViewAuditLog) === 0n) return;
  const d = { ...entry, guild_id: guild.id };
  request.publish({ dispatch: { t: Events.GuildAuditLogEntryCreate, d }, guildId: guild.id });
}

/** The fields of a change that differ, as the audit log lists them. */
export function changesOf(before: object, after: object): AuditDetails {
  const old = new Map<string, unknown>(Object.entries(before));
  const changes = Object.entries(after).flatMap(([key, value]: [string, unknown]) => {
    const former = old.get(key);
    if (JSON.stringify(former) === JSON.stringify(value)) return [];
    return [
      {
        key,
        ...(former === undefined || former === null ? {} : { old_value: former }),
        ...(value === undefined || value === null ? {} : { new_value: value }),
      },
    ];
  });
  // Discord has a type for each key; this is the general form of all of them.
  return changes.length === 0 ? {} : { changes: changes as NonNullable<AuditDetails["changes"]> };
}
