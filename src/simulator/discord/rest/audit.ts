import type { AuditLogEvent } from "discord-api-types/v10";
import type { SimulatedGuild } from "../world.ts";
import type { RestRequest } from "./context.ts";

const BOUND = 1000;

/** Writes down what the bot did, with the reason that it gave: https://discord.com/developers/docs/resources/audit-log */
export function audit(
  request: RestRequest,
  guild: SimulatedGuild,
  action: AuditLogEvent,
  targetId: string,
): void {
  const reason = request.headers.get("x-audit-log-reason");
  guild.auditLog.push({
    id: request.world.ids.next(),
    action_type: action,
    user_id: request.world.botUser.id,
    target_id: targetId,
    ...(reason === null ? {} : { reason: decodeURIComponent(reason).slice(0, 512) }),
  });
  if (guild.auditLog.length > BOUND) guild.auditLog.shift();
}
