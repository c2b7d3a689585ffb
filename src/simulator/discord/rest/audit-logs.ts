import { type APIAuditLogEntry, PermissionFlagsBits } from "discord-api-types/v10";
import { compareIds } from "../snowflake.ts";
import type { SimulatedGuild } from "../world.ts";
import { reachGuild, requireInGuild } from "./access.ts";
import { ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { Form } from "./form.ts";

export const auditLogRoutes: readonly Route[] = [
  { method: "GET", pattern: "/guilds/:guildId/audit-logs", handle: list },
];

/** https://discord.com/developers/docs/resources/audit-log#get-guild-audit-log */
function list(request: RestRequest): RestReply {
  const guild = reachGuild(request);
  requireInGuild(request, guild, PermissionFlagsBits.ViewAuditLog);
  const form = Form.ofQuery(request.query);
  const limit = form.integer("limit", { min: 1, max: 100 }) ?? 50;
  const filters = {
    user: form.snowflake("user_id"),
    target: form.snowflake("target_id"),
    action: form.integer("action_type", { min: 1, max: 300 }),
    before: form.snowflake("before"),
    after: form.snowflake("after"),
  };
  form.check();
  const found = guild.auditLog.filter((entry) => fits(entry, filters));
  // Oldest first with `after`, newest first without.
  const entries = filters.after === null ? found.slice(-limit).reverse() : found.slice(0, limit);
  return ok({
    audit_log_entries: entries,
    ...namedIn(request, guild, entries),
    integrations: [],
    webhooks: [],
    guild_scheduled_events: [],
    application_commands: [],
    auto_moderation_rules: [],
  });
}

interface Filters {
  readonly user: string | null;
  readonly target: string | null;
  readonly action: number | null;
  readonly before: string | null;
  readonly after: string | null;
}

function fits(entry: APIAuditLogEntry, { user, target, action, before, after }: Filters): boolean {
  return (
    (user === null || entry.user_id === user) &&
    (target === null || entry.target_id === target) &&
    (action === null || entry.action_type === action) &&
    (before === null || compareIds(entry.id, before) < 0) &&
    (after === null || compareIds(entry.id, after) > 0)
  );
}

function namedIn(request: RestRequest, guild: SimulatedGuild, entries: readonly APIAuditLogEntry[]) {
  const ids = [...new Set(entries.flatMap((entry) => [entry.user_id ?? "", entry.target_id ?? ""]))];
  return {
    users: ids.flatMap((id) => request.world.users.get(id) ?? []),
    threads: ids.flatMap((id) => guild.threads.get(id) ?? []),
  };
}
