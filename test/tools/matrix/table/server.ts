import { type Entry, inServer, onChannel, onGuild, onMember } from "../axis.ts";
import {
  actorAlone,
  both,
  idOf,
  isMember,
  lacksInChannel,
  lacksInServer,
  notFound,
  nothing,
  type Reason,
  rule,
  type Scene,
  unfit,
} from "../expectation.ts";
import { botId, channels } from "../scene.ts";

const page = "https://docs.discord.com/developers/resources/guild";

/** Who is no member, and was seen by nobody here, is for those to look up who may ban them. */
const strangers = (userId: string, scene: Scene): readonly Reason[] =>
  isMember(scene, userId) || lacksInServer(scene, actorAlone("BanMembers")).length === 0 ? [] : [notFound];

export const permissionTools: Readonly<Record<string, Entry>> = {
  discord_permissions_explain: {
    source: "https://docs.discord.com/developers/topics/permissions#permission-overwrites",
    axes: [
      onChannel({
        of: "text",
        for: ["text", "thread", "post", "forum", "category"],
        isOptional: true,
        input: () => ({ permission: "Send Messages" }),
        needs: nothing,
      }),
      onMember({
        isOptional: true,
        input: { permission: "Send Messages", channel_id: channels.general },
        left: "not_found",
        // Discord's apps show what others may do to those who manage it.
        rules: (userId, scene) => {
          const general = scene.discord.channel(channels.general);
          return userId === idOf(scene) || general === null
            ? []
            : lacksInChannel(scene, general, actorAlone("ManageRoles"));
        },
      }),
    ],
  },
  discord_permissions_audit: {
    source: `${page}#get-guild-roles`,
    axes: [inServer({ needs: actorAlone("ManageRoles") })],
  },
};

export const serverTools: Readonly<Record<string, Entry>> = {
  discord_server_stats: {
    source: `${page}#get-guild`,
    axes: [inServer({}), onGuild({})],
  },
  discord_audit_log: {
    source: "https://docs.discord.com/developers/resources/audit-log#get-guild-audit-log",
    axes: [
      inServer({ needs: both("ViewAuditLog") }),
      onMember({ needs: () => both("ViewAuditLog"), left: "fine", rules: strangers }),
    ],
  },
  discord_user_lookup: {
    source: "https://docs.discord.com/developers/resources/user#get-user",
    axes: [onMember({ isOptional: true, left: "fine", rules: strangers })],
  },
  discord_user_message: {
    source: "https://docs.discord.com/developers/resources/user#create-dm",
    axes: [
      onMember({
        isOptional: true,
        input: { content: "Ahoy" },
        left: "not_found",
        // To others only where the operator allows it, and bots write to no bots.
        rules: (userId, scene) => [
          ...(userId === idOf(scene) && scene.actor !== "bot"
            ? []
            : [rule("somebody else", /to the person who asks alone/)]),
          ...(userId === botId ? [unfit] : []),
        ],
      }),
    ],
  },
};

/** Nothing of Discord's: what the service itself keeps. */
const ownThings = "https://docs.discord.com/developers/policies-and-agreements/developer-policy";

/** The person's own things, wherever they are. */
export const memoryTools: Readonly<Record<string, Entry>> = {
  discord_memory_recall: { source: ownThings, axes: [inServer({ isForAll: true })] },
  discord_memory_remember: {
    source: ownThings,
    axes: [inServer({ isForAll: true, input: { text: "Likes tea." } })],
  },
  discord_memory_forget: {
    source: ownThings,
    axes: [inServer({ isForAll: true, input: { memory_id: `m_${"x".repeat(22)}` } })],
  },
  discord_memory_clear: { source: ownThings, axes: [inServer({ isForAll: true, input: {} })] },
  discord_tools_find: { source: ownThings, axes: [inServer({ isForAll: true, input: { query: "ban" } })] },
};
