import { AppError } from "../errors.ts";
import type { DiscordReader, PermissionFactsPort } from "../tools/discord-port.ts";
import type { DiscordStatus } from "./gateway-types.ts";

/** What stands in for Discord without a token: the service runs on the network, and whatever needs Discord says why it cannot. */
export interface NoDiscord {
  readonly reader: DiscordReader;
  readonly facts: PermissionFactsPort;
  status(): DiscordStatus;
}

const reason =
  "The service runs without Discord: the operator has to set DISCORD_TOKEN and restart to have its tools and chat.";

async function refuse(): Promise<never> {
  throw new AppError("discord_unavailable", reason);
}

/** Every read throws AppError `discord_unavailable`. */
export function createNoDiscord(): NoDiscord {
  return {
    reader: {
      user: refuse,
      member: refuse,
      channel: refuse,
      guild: refuse,
      guildChannels: refuse,
      guildRoles: refuse,
      guildEmojis: refuse,
      messages: refuse,
      searchMessages: refuse,
    },
    facts: { botUserId: refuse, guild: refuse, channel: refuse, member: refuse, isThreadMember: refuse },
    status: () => ({
      state: "off",
      reason,
      shards: [],
      intents: { messageContent: false, members: false, presences: false },
    }),
  };
}
