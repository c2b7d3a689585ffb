import {
  type APIGuildMember,
  GatewayDispatchEvents as Events,
  GatewayOpcodes,
  GatewayIntentBits as Intents,
} from "discord-api-types/v10";
import type { Gateway } from "./gateway.ts";
import type { GatewaySession } from "./gateway-session.ts";
import { integer, isRecord, text } from "./json.ts";

const chunk = 1000;
/** People that one request may name. */
const namedTool = 100;

/**
 * Answers opcode 8 with GUILD_MEMBERS_CHUNK: https://discord.com/developers/docs/events/gateway-events#request-guild-members
 * The whole list needs the GUILD_MEMBERS intent; without it nothing comes.
 */
export function requestMembers(gateway: Gateway, session: GatewaySession, d: unknown): void {
  if (!isRecord(d)) return;
  const guild = gateway.world.guilds.get(text(d.guild_id) ?? "");
  if (guild === undefined || !guild.hasBot || !session.hears(guild.id)) return;
  const wanted = Array.isArray(d.user_ids)
    ? d.user_ids.map(String)
    : typeof d.user_ids === "string"
      ? [d.user_ids]
      : null;
  const query = text(d.query);
  const limit = integer(d.limit) ?? 0;
  if (wanted === null && query === null) return;
  if (wanted !== null) gateway.note("members_requested", session, { named: wanted.length });
  if (wanted !== null && wanted.length > namedTool) return;
  if (wanted === null && query === "" && limit === 0 && !(session.intents & Intents.GuildMembers)) return;
  const nonce = text(d.nonce);
  if (gateway.memberRefusals > 0) {
    gateway.memberRefusals -= 1;
    const meta = { guild_id: guild.id, ...(nonce === null ? {} : { nonce }) };
    session.dispatch({
      t: Events.RateLimited,
      d: { opcode: GatewayOpcodes.RequestGuildMembers, retry_after: 30, meta },
    });
    return;
  }
  const members = [...guild.members.values()];
  const found =
    wanted === null
      ? members
          .filter((member) => startsWith(member, query ?? ""))
          .slice(0, limit === 0 ? undefined : Math.min(limit, 100))
      : members.filter((member) => wanted.includes(member.user.id));
  const missing = wanted?.filter((id) => !guild.members.has(id)) ?? [];
  const chunks = Math.max(1, Math.ceil(found.length / chunk));
  for (let index = 0; index < chunks; index += 1) {
    session.dispatch({
      t: Events.GuildMembersChunk,
      d: {
        guild_id: guild.id,
        members: found.slice(index * chunk, (index + 1) * chunk),
        chunk_index: index,
        chunk_count: chunks,
        ...(index === 0 && missing.length > 0 ? { not_found: missing } : {}),
        ...(nonce === null ? {} : { nonce }),
      },
    });
  }
}

function startsWith(member: APIGuildMember, query: string): boolean {
  const needle = query.toLowerCase();
  const names = [member.user.username, member.nick ?? "", member.user.global_name ?? ""];
  return names.some((name) => name.toLowerCase().startsWith(needle));
}
