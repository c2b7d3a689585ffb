import {
  type APIMessage,
  GatewayDispatchEvents as Events,
  GatewayIntentBits as Intents,
} from "discord-api-types/v10";
import type { Dispatch, WorldEvent } from "./world-events.ts";

export interface PrivilegedIntents {
  readonly messageContent: boolean;
  readonly members: boolean;
  readonly presences: boolean;
}

const knownRefusals = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21, 24, 25].reduce(
  (all, bit) => all | (1 << bit),
  0,
);

/** Why an identify's intents are refused, or null: https://discord.com/developers/docs/topics/gateway#gateway-intents */
export function refuseIntents(intents: number, allowed: PrivilegedIntents): "invalid" | "disallowed" | null {
  if (!Number.isSafeInteger(intents) || intents < 0 || (intents & ~knownRefusals) !== 0) return "invalid";
  if (intents & Intents.MessageContent && !allowed.messageContent) return "disallowed";
  if (intents & Intents.GuildMembers && !allowed.members) return "disallowed";
  if (intents & Intents.GuildPresences && !allowed.presences) return "disallowed";
  return null;
}

/** Events by the intent that brings them, as https://discord.com/developers/docs/events/gateway#list-of-intents lists them. */
const intentOf: Partial<Record<Events, { readonly guild?: number; readonly direct?: number }>> = {
  [Events.MessageCreate]: { guild: Intents.GuildMessages, direct: Intents.DirectMessages },
  [Events.MessageUpdate]: { guild: Intents.GuildMessages, direct: Intents.DirectMessages },
  [Events.MessageDelete]: { guild: Intents.GuildMessages, direct: Intents.DirectMessages },
  [Events.MessageDeleteBulk]: { guild: Intents.GuildMessages },
  [Events.MessageReactionAdd]: {
    guild: Intents.GuildMessageReactions,
    direct: Intents.DirectMessageReactions,
  },
  [Events.MessageReactionRemove]: {
    guild: Intents.GuildMessageReactions,
    direct: Intents.DirectMessageReactions,
  },
  [Events.TypingStart]: { guild: Intents.GuildMessageTyping, direct: Intents.DirectMessageTyping },
  [Events.ChannelPinsUpdate]: { guild: Intents.Guilds, direct: Intents.DirectMessages },
  [Events.GuildMemberAdd]: { guild: Intents.GuildMembers },
  [Events.GuildMemberUpdate]: { guild: Intents.GuildMembers },
  [Events.GuildMemberRemove]: { guild: Intents.GuildMembers },
  [Events.GuildBanAdd]: { guild: Intents.GuildModeration },
  [Events.GuildBanRemove]: { guild: Intents.GuildModeration },
  [Events.GuildAuditLogEntryCreate]: { guild: Intents.GuildModeration },
  [Events.GuildEmojisUpdate]: { guild: Intents.GuildExpressions },
  [Events.PresenceUpdate]: { guild: Intents.GuildPresences },
  [Events.GuildCreate]: { guild: Intents.Guilds },
  [Events.GuildUpdate]: { guild: Intents.Guilds },
  [Events.GuildDelete]: { guild: Intents.Guilds },
  [Events.GuildRoleCreate]: { guild: Intents.Guilds },
  [Events.GuildRoleUpdate]: { guild: Intents.Guilds },
  [Events.GuildRoleDelete]: { guild: Intents.Guilds },
  [Events.ChannelCreate]: { guild: Intents.Guilds },
  [Events.ChannelUpdate]: { guild: Intents.Guilds },
  [Events.ChannelDelete]: { guild: Intents.Guilds },
  [Events.ThreadCreate]: { guild: Intents.Guilds },
  [Events.ThreadUpdate]: { guild: Intents.Guilds },
  [Events.ThreadDelete]: { guild: Intents.Guilds },
  [Events.ThreadMembersUpdate]: { guild: Intents.Guilds },
};

export function isWanted(event: WorldEvent, intents: number, botId: string): boolean {
  const { t, d } = event.dispatch;
  // Changes of the bot's own member always arrive, whatever the intents.
  if (t === Events.GuildMemberUpdate && d.user.id === botId) return true;
  const needed = intentOf[t];
  if (needed === undefined) return true;
  const bit = event.guildId === null ? needed.direct : needed.guild;
  return bit !== undefined && (intents & bit) !== 0;
}

/** The dispatch as a session without the MESSAGE_CONTENT intent sees it. */
export function withoutContent(dispatch: Dispatch, guildId: string | null, botId: string): Dispatch {
  if (dispatch.t !== Events.MessageCreate && dispatch.t !== Events.MessageUpdate) return dispatch;
  if (guildId === null) return dispatch;
  return { t: dispatch.t, d: stripContent(dispatch.d, botId) };
}

/** Empties what the intent guards, unless the bot wrote it or is mentioned in it. */
export function stripContent<Message extends Omit<APIMessage, "mentions"> & { mentions: { id: string }[] }>(
  message: Message,
  botId: string,
): Message {
  const referenced = message.referenced_message;
  const outer = referenced ? { ...message, referenced_message: stripContent(referenced, botId) } : message;
  if (message.author.id === botId || message.mentions.some((user) => user.id === botId)) return outer;
  return { ...outer, content: "", embeds: [], attachments: [], components: [] };
}
