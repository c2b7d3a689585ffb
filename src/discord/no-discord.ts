import { AppError } from "../errors.ts";
import type { DiscordWriter } from "../tools/discord-port.ts";
import type { Discord } from "./discord.ts";
import { callbackOf } from "./posts/interaction-answers.ts";

const reason =
  "The service runs without Discord: the operator has to set DISCORD_TOKEN and restart to have its tools and chat.";

async function refuse(): Promise<never> {
  throw new AppError("discord_unavailable", reason);
}

const noWriter: DiscordWriter = {
  createMessage: refuse,
  editMessage: refuse,
  deleteMessage: refuse,
  bulkDeleteMessages: refuse,
  pinMessage: refuse,
  unpinMessage: refuse,
  addReaction: refuse,
  removeOwnReaction: refuse,
  createChannel: refuse,
  editChannel: refuse,
  moveChannels: refuse,
  deleteChannel: refuse,
  setOverwrite: refuse,
  deleteOverwrite: refuse,
  createThread: refuse,
  createForumPost: refuse,
  addThreadMember: refuse,
  removeThreadMember: refuse,
  editMember: refuse,
  kickMember: refuse,
  banUser: refuse,
  unbanUser: refuse,
  createRole: refuse,
  editRole: refuse,
  moveRoles: refuse,
  deleteRole: refuse,
  giveRole: refuse,
  takeRole: refuse,
  openDirectMessage: refuse,
};

/**
 * What stands in for Discord without a token: the service runs on the network, and every read and change throws AppError
 * `discord_unavailable`, which says why. There is nothing to wait for: `ready` is resolved.
 */
export function createNoDiscord(): Discord {
  return {
    ready: Promise.resolve(),
    start: async () => undefined,
    isIn: refuse,
    flush: async () => undefined,
    reply: async () => undefined,
    interact: async () => callbackOf({ kind: "private", text: "I am not connected to Discord just now." }),
    stopIntake: () => undefined,
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
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
      searchMembers: refuse,
      members: refuse,
      message: refuse,
      pins: refuse,
      reactions: refuse,
      activeThreads: refuse,
      archivedThreads: refuse,
      threadMembers: refuse,
      bans: refuse,
      ban: refuse,
      auditLog: refuse,
    },
    writer: noWriter,
    facts: {
      botUserId: refuse,
      guild: refuse,
      channels: refuse,
      channel: refuse,
      knownChannel: () => null,
      locate: refuse,
      member: refuse,
      isThreadMember: refuse,
    },
    now: () => null,
    botUserId: () => null,
    guildNames: () => [],
    status: () => ({
      state: "off",
      reason,
      shards: [],
      intents: { messageContent: false, members: false, presences: false },
    }),
  };
}
