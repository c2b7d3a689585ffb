import type { API } from "@discordjs/core";
import { type APIChannel, type APIDMChannel, ChannelType, Routes } from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import type { DiscordWriter } from "../../tools/discord-port.ts";
import { listOf } from "../fits.ts";
import { isChannel, isMessage, isRole } from "../promised-shapes.ts";
import { ask, tell } from "./errors.ts";
import { Flight, follow } from "./flight.ts";

/** Changes by REST, each by one request within a bounded time. `api` must not repeat requests. Errors as `DiscordWriter` documents them. */
export function createRestWriter(api: API): DiscordWriter {
  return { ...messages(api), ...channels(api), ...threads(api), ...members(api), ...roles(api) };
}

type Part<Name extends keyof DiscordWriter> = Pick<DiscordWriter, Name>;

function messages(
  api: API,
): Part<
  | "createMessage"
  | "editMessage"
  | "deleteMessage"
  | "bulkDeleteMessages"
  | "pinMessage"
  | "unpinMessage"
  | "addReaction"
  | "removeOwnReaction"
  | "openDirectMessage"
> {
  const { channels: of } = api;
  return {
    createMessage: (channelId, { files = [], ...body }, change) =>
      tell(
        change,
        "message",
        "posted the message",
        (o) => of.createMessage(channelId, { ...body, files: files.map((file) => ({ ...file })) }, o),
        isMessage,
      ),
    editMessage: (channelId, messageId, body, change) =>
      tell(
        change,
        "message",
        "edited the message",
        (o) => of.editMessage(channelId, messageId, body, o),
        isMessage,
      ),
    deleteMessage: (channelId, messageId, change) =>
      tell(change, "message", "deleted the message", (o) => of.deleteMessage(channelId, messageId, o)),
    bulkDeleteMessages: (channelId, messageIds, change) =>
      tell(change, "messages", "deleted the messages", (o) =>
        of.bulkDeleteMessages(channelId, [...messageIds], o),
      ),
    // The client's own methods ask by the routes that Discord has deprecated.
    pinMessage: (channelId, messageId, change) =>
      tell(change, "message", "pinned the message", async (o) => {
        await api.rest.put(Routes.channelMessagesPin(channelId, messageId), o);
      }),
    unpinMessage: (channelId, messageId, change) =>
      tell(change, "message", "unpinned the message", async (o) => {
        await api.rest.delete(Routes.channelMessagesPin(channelId, messageId), o);
      }),
    addReaction: (channelId, messageId, emoji, change) =>
      tell(change, "reaction", "added the reaction", (o) =>
        of.addMessageReaction(channelId, messageId, emoji, o),
      ),
    removeOwnReaction: (channelId, messageId, emoji, change) =>
      tell(change, "reaction", "removed the reaction", (o) =>
        of.deleteOwnMessageReaction(channelId, messageId, emoji, o),
      ),
    async openDirectMessage(userId, { signal }) {
      const channel = await ask(
        signal,
        "direct message",
        (s) => follow(new Flight(), () => api.users.createDM(userId, { signal: s })),
        isChannel,
      );
      if (isDirect(channel)) return channel;
      throw new AppError("discord_error", "Discord opened no direct message with that user.");
    },
  };
}

const isDirect = (channel: APIChannel): channel is APIDMChannel => channel.type === ChannelType.DM;

function channels(
  api: API,
): Part<
  "createChannel" | "editChannel" | "moveChannels" | "deleteChannel" | "setOverwrite" | "deleteOverwrite"
> {
  const { channels: of, guilds } = api;
  return {
    createChannel: (guildId, body, change) =>
      tell(change, "channel", "made the channel", (o) => guilds.createChannel(guildId, body, o), isChannel),
    editChannel: (channelId, body, change) =>
      tell(change, "channel", "changed the channel", (o) => of.edit(channelId, body, o), isChannel),
    moveChannels: (guildId, positions, change) =>
      tell(change, "channels", "moved the channels", (o) =>
        guilds.setChannelPositions(guildId, positions, o),
      ),
    deleteChannel: (channelId, change) =>
      tell(change, "channel", "deleted the channel", async (o) => {
        await of.delete(channelId, o);
      }),
    setOverwrite: (channelId, overwriteId, body, change) =>
      tell(change, "channel permissions", "set the permissions", (o) =>
        of.editPermissionOverwrite(channelId, overwriteId, body, o),
      ),
    deleteOverwrite: (channelId, overwriteId, change) =>
      tell(change, "channel permissions", "cleared the permissions", (o) =>
        of.deletePermissionOverwrite(channelId, overwriteId, o),
      ),
  };
}

function threads(
  api: API,
): Part<"createThread" | "createForumPost" | "addThreadMember" | "removeThreadMember"> {
  const { channels: of } = api;
  return {
    createThread: (channelId, body, messageId, change) =>
      tell(
        change,
        "thread",
        "started the thread",
        (o) => of.createThread(channelId, body, messageId ?? undefined, o),
        isChannel,
      ),
    createForumPost: (channelId, body, change) =>
      tell(change, "post", "made the post", (o) => of.createForumThread(channelId, body, o), isChannel),
    addThreadMember: (threadId, userId, change) =>
      tell(change, "thread member", "added the member to the thread", (o) =>
        api.threads.addMember(threadId, userId, o),
      ),
    removeThreadMember: (threadId, userId, change) =>
      tell(change, "thread member", "removed the member from the thread", (o) =>
        api.threads.removeMember(threadId, userId, o),
      ),
  };
}

function members(
  api: API,
): Part<"editMember" | "kickMember" | "banUser" | "unbanUser" | "giveRole" | "takeRole"> {
  const { guilds } = api;
  return {
    editMember: (guildId, userId, body, change) =>
      tell(change, "member", "changed the member", async (o) => {
        await guilds.editMember(guildId, userId, body, o);
      }),
    kickMember: (guildId, userId, change) =>
      tell(change, "member", "kicked the member", async (o) => {
        await guilds.removeMember(guildId, userId, o);
      }),
    banUser: (guildId, userId, deleteMessageSeconds, change) =>
      tell(change, "user", "banned the user", (o) =>
        guilds.banUser(guildId, userId, { delete_message_seconds: deleteMessageSeconds }, o),
      ),
    unbanUser: (guildId, userId, change) =>
      tell(change, "ban", "lifted the ban", (o) => guilds.unbanUser(guildId, userId, o)),
    giveRole: (guildId, userId, roleId, change) =>
      tell(change, "role", "given the role", (o) => guilds.addRoleToMember(guildId, userId, roleId, o)),
    takeRole: (guildId, userId, roleId, change) =>
      tell(change, "role", "taken the role", (o) => guilds.removeRoleFromMember(guildId, userId, roleId, o)),
  };
}

function roles(api: API): Part<"createRole" | "editRole" | "moveRoles" | "deleteRole"> {
  const { guilds } = api;
  return {
    createRole: (guildId, body, change) =>
      tell(change, "role", "made the role", (o) => guilds.createRole(guildId, body, o), isRole),
    editRole: (guildId, roleId, body, change) =>
      tell(change, "role", "changed the role", (o) => guilds.editRole(guildId, roleId, body, o), isRole),
    moveRoles: (guildId, positions, change) =>
      tell(
        change,
        "roles",
        "moved the roles",
        (o) => guilds.setRolePositions(guildId, positions, o),
        listOf(isRole),
      ),
    deleteRole: (guildId, roleId, change) =>
      tell(change, "role", "deleted the role", (o) => guilds.deleteRole(guildId, roleId, o)),
  };
}
