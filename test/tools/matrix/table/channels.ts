import { type Entry, inServer, onChannel, onMember, onRole } from "../axis.ts";
import { both, lacksInServer, type Needs, notFound, nothing, unfit } from "../expectation.ts";
import { type ChannelKind, channels, noHistory, roles, silent } from "../scene.ts";

const page = "https://docs.discord.com/developers/resources/channel";
const guildPage = "https://docs.discord.com/developers/resources/guild";
const every: readonly ChannelKind[] = ["text", "thread", "post", "forum", "category"];
const noThreads: readonly ChannelKind[] = ["text", "forum", "category"];
const threads: readonly ChannelKind[] = ["thread", "post"];
const managing = both("ManageChannels");
const { general, quay, staff, vault } = channels;

/** The category that a channel is in, where it is in one; else another. */
function categoryOf(channelId: string): string {
  const own = [silent, noHistory].find(({ text }) => text === channelId);
  return own?.category ?? (channelId === staff ? vault : quay);
}

/** Channels by MANAGE_CHANNELS, threads by MANAGE_THREADS. */
const deleting = (kind: ChannelKind): Needs => (threads.includes(kind) ? both("ManageThreads") : managing);
const toDeny = { role_id: roles.guests, deny: ["Embed Links"] };

export const channelTools: Readonly<Record<string, Entry>> = {
  discord_channel_info: {
    source: "https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags",
    axes: [onChannel({ of: "text", for: every, isOptional: true, needs: nothing })],
  },
  discord_channels_list: {
    source: `${guildPage}#get-guild-channels`,
    axes: [
      inServer({}),
      onChannel({ argument: "category_id", of: "category", for: ["category"], needs: nothing }),
    ],
  },
  discord_channel_create: {
    source: `${guildPage}#create-guild-channel`,
    axes: [
      inServer({ input: { name: "new" }, needs: managing }),
      onChannel({
        argument: "category_id",
        of: "category",
        for: ["category"],
        input: () => ({ name: "new" }),
        needs: managing,
      }),
    ],
  },
  discord_channel_edit: {
    source: `${page}#modify-channel`,
    axes: [
      onChannel({
        of: "text",
        for: noThreads,
        isOptional: true,
        input: () => ({ name: "renamed" }),
        needs: managing,
      }),
    ],
  },
  discord_channel_move: {
    source: `${guildPage}#modify-guild-channel-positions`,
    axes: [
      onChannel({
        of: "text",
        for: noThreads,
        isOptional: true,
        input: () => ({ place: 0 }),
        needs: managing,
        inServer: managing,
      }),
      onChannel({
        argument: "category_id",
        of: "category",
        for: ["category"],
        input: () => ({ channel_id: general }),
        needs: managing,
        // #general says nothing else of it than the server.
        inServer: managing,
      }),
    ],
  },
  discord_channel_delete: {
    source: `${page}#delete-close-channel`,
    axes: [
      onChannel({
        of: "text",
        for: every,
        needs: ({ type }) => deleting(type >= 10 && type <= 12 ? "thread" : "text"),
      }),
      onChannel({ variant: "a thread", of: "thread", for: every, needs: deleting("thread") }),
    ],
  },
  discord_channel_sync: {
    source: `${page}#modify-channel`,
    axes: [
      onChannel({
        of: "text",
        for: ["text", "forum"],
        isOptional: true,
        input: (id) => ({ category_id: categoryOf(id) }),
        needs: both("ManageChannels", "ManageRoles"),
      }),
      onChannel({
        argument: "category_id",
        of: "category",
        for: ["category"],
        input: () => ({ channel_id: general }),
        needs: nothing,
        inServer: both("ManageChannels", "ManageRoles"),
        rules: ({ id }) => (id === quay ? [] : [unfit]),
      }),
    ],
  },
  discord_channel_overwrite_set: {
    source: `${page}#edit-channel-permissions`,
    axes: [
      onChannel({
        of: "text",
        for: noThreads,
        isOptional: true,
        input: () => toDeny,
        needs: both("ManageRoles"),
      }),
      onChannel({
        variant: "Manage Channels",
        of: "text",
        for: noThreads,
        isOptional: true,
        input: () => ({ role_id: roles.guests, allow: ["Manage Channels"] }),
        needs: both("ManageRoles"),
        // What one does not have in the server one gives to nobody in a channel.
        rules: (_channel, scene) => lacksInServer(scene, managing),
      }),
      onRole({
        input: { channel_id: general, deny: ["Embed Links"] },
        inChannel: both("ManageRoles"),
      }),
      onMember({
        input: { channel_id: general, deny: ["Embed Links"] },
        inChannel: both("ManageRoles"),
        left: "not_found",
      }),
    ],
  },
  discord_channel_overwrite_clear: {
    source: `${page}#delete-channel-permission`,
    axes: [
      onChannel({
        of: "text",
        for: noThreads,
        isOptional: true,
        input: () => ({ role_id: roles.guests }),
        needs: both("ManageRoles"),
      }),
      onRole({
        input: { channel_id: general },
        inChannel: both("ManageRoles"),
        // The others have none there.
        rules: ({ id }) => (id === roles.guests ? [] : [notFound]),
      }),
      onMember({
        input: { channel_id: general },
        inChannel: both("ManageRoles"),
        left: "not_found",
        rules: () => [notFound],
      }),
    ],
  },
};
