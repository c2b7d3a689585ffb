import { PermissionFlagsBits } from "discord-api-types/v10";
import { demoIds } from "./demo-ids.ts";
import type { GuildSeed, WorldSeed } from "./seed.ts";
import { demoChannels, demoMessages } from "./world-seed-places.ts";

const { ViewChannel, SendMessages, SendMessagesInThreads, ReadMessageHistory, AddReactions, EmbedLinks } =
  PermissionFlagsBits;
const { AttachFiles, CreatePublicThreads, ChangeNickname, Connect, Speak, UseApplicationCommands } =
  PermissionFlagsBits;

/** What a new guild lets everybody do. */
export const everydayPermissions: bigint =
  ViewChannel |
  SendMessages |
  SendMessagesInThreads |
  ReadMessageHistory |
  AddReactions |
  EmbedLinks |
  AttachFiles |
  CreatePublicThreads |
  ChangeNickname |
  Connect |
  Speak |
  UseApplicationCommands;

const moderatorPermissions: bigint =
  PermissionFlagsBits.ManageMessages |
  PermissionFlagsBits.KickMembers |
  PermissionFlagsBits.BanMembers |
  PermissionFlagsBits.ManageRoles |
  PermissionFlagsBits.PinMessages |
  PermissionFlagsBits.ModerateMembers |
  PermissionFlagsBits.ManageThreads |
  PermissionFlagsBits.ManageNicknames |
  PermissionFlagsBits.ViewAuditLog;

const botPermissions: bigint =
  everydayPermissions |
  moderatorPermissions |
  PermissionFlagsBits.ManageChannels |
  PermissionFlagsBits.ManageRoles |
  PermissionFlagsBits.MentionEveryone |
  PermissionFlagsBits.PinMessages |
  PermissionFlagsBits.BanMembers |
  PermissionFlagsBits.CreatePrivateThreads;

/** The ids of the demo, the same in every process. */
export const DEMO = demoIds;

/** A small and friendly guild, "Harbour": what the demo shows and what most tests start from. */
export function demoWorld(): WorldSeed {
  const { users, roles, guildId } = DEMO;
  return {
    applicationId: DEMO.applicationId,
    bot: { id: DEMO.botId, username: "harbour-pilot", globalName: "Harbour Pilot", bot: true },
    users: [
      { id: users.owner, username: "olive", globalName: "Olive" },
      { id: users.moderator, username: "mika", globalName: "Mika" },
      { id: users.ana, username: "ana", globalName: "Ana" },
      { id: users.ben, username: "ben", globalName: "Ben" },
      { id: users.otherBot, username: "tide-tables", globalName: "Tide Tables", bot: true },
    ],
    guilds: [
      {
        id: guildId,
        name: "Harbour",
        description: "Boats, tea and open source",
        ownerId: users.owner,
        everyone: everydayPermissions,
        roles: [
          {
            id: roles.crew,
            name: "Crew",
            permissions: 0n,
            color: 0x3498db,
            mentionable: true,
            position: 2,
          },
          {
            id: roles.bot,
            name: "Harbour Pilot",
            permissions: botPermissions,
            ofBot: true,
            mentionable: true,
            position: 3,
          },
          {
            id: roles.moderator,
            name: "Moderator",
            permissions: moderatorPermissions,
            color: 0xe67e22,
            hoist: true,
            position: 4,
          },
          { id: roles.muted, name: "Muted", permissions: 0n, color: 0x95a5a6, position: 1 },
        ],
        channels: demoChannels(),
        members: [
          { userId: users.owner, online: true },
          { userId: users.moderator, roleIds: [roles.moderator, roles.crew], online: true },
          { userId: users.ana, roleIds: [roles.crew], online: true },
          { userId: users.ben, nick: "Benny" },
          { userId: users.otherBot, online: true },
          { userId: DEMO.botId, roleIds: [roles.bot], online: true },
        ],
        emojis: [{ id: DEMO.emojiId, name: "anchor_up" }],
        messages: demoMessages(),
        boosts: 2,
      },
    ],
  };
}

/** `demoWorld` with a second server, "Lighthouse", to which the bot belongs too and Ana does not. */
export function twoServers(): WorldSeed {
  const harbour = demoWorld();
  return { ...harbour, guilds: [...harbour.guilds, lighthouse()] };
}

function lighthouse(): GuildSeed {
  const { guildId, roles, channels } = DEMO.lighthouse;
  const { users, botId } = DEMO;
  return {
    id: guildId,
    name: "Lighthouse",
    description: "Lamps and logbooks",
    ownerId: users.owner,
    everyone: everydayPermissions,
    roles: [{ id: roles.bot, name: "Harbour Pilot", permissions: botPermissions, ofBot: true }],
    channels: [
      { id: channels.lampRoom, name: "lamp-room", kind: "text", topic: "Keep it lit" },
      {
        id: channels.keepers,
        name: "keepers",
        kind: "text",
        overwrites: [
          { id: guildId, type: "role", deny: ViewChannel },
          { id: botId, type: "member", allow: ViewChannel },
        ],
      },
    ],
    members: [
      { userId: users.owner, online: true },
      { userId: users.ben, online: true },
      { userId: botId, roleIds: [roles.bot], online: true },
    ],
    messages: [
      { channelId: channels.lampRoom, authorId: users.ben, minutesAgo: 90, content: "The lamp is lit." },
      { channelId: channels.keepers, authorId: users.owner, minutesAgo: 80, content: "Oil comes on Monday." },
    ],
  };
}
