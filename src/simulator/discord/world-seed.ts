import { PermissionFlagsBits } from "discord-api-types/v10";
import type { ChannelSeed, MessageSeed, WorldSeed } from "./seed.ts";
import { snowflakeAt } from "./snowflake.ts";

const { ViewChannel, SendMessages, SendMessagesInThreads, ReadMessageHistory, AddReactions, EmbedLinks } =
  PermissionFlagsBits;
const { AttachFiles, CreatePublicThreads, ChangeNickname, Connect, Speak, UseApplicationCommands } =
  PermissionFlagsBits;

/** What a new guild lets everybody do. */
export const EVERYDAY_PERMISSIONS: bigint =
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

const MODERATOR_PERMISSIONS: bigint =
  PermissionFlagsBits.ManageMessages |
  PermissionFlagsBits.KickMembers |
  PermissionFlagsBits.ModerateMembers |
  PermissionFlagsBits.ManageThreads |
  PermissionFlagsBits.ManageNicknames |
  PermissionFlagsBits.ViewAuditLog;

const BOT_PERMISSIONS: bigint =
  EVERYDAY_PERMISSIONS |
  MODERATOR_PERMISSIONS |
  PermissionFlagsBits.ManageChannels |
  PermissionFlagsBits.ManageRoles |
  PermissionFlagsBits.MentionEveryone |
  PermissionFlagsBits.PinMessages |
  PermissionFlagsBits.BanMembers |
  PermissionFlagsBits.CreatePrivateThreads;

const SEED_TIME = Date.UTC(2024, 2, 1);
const seedId = (step: number): string => snowflakeAt(SEED_TIME, step);

/** The ids of `demoWorld`, the same in every process. */
export const DEMO = {
  applicationId: seedId(1),
  /** As for every bot made in this decade, the user's id is the application's. */
  botId: seedId(1),
  guildId: seedId(10),
  users: { owner: seedId(20), moderator: seedId(21), ana: seedId(22), ben: seedId(23), otherBot: seedId(24) },
  roles: { moderator: seedId(30), crew: seedId(31), bot: seedId(32) },
  channels: {
    category: seedId(40),
    general: seedId(41),
    help: seedId(42),
    random: seedId(43),
    staff: seedId(44),
    voice: seedId(45),
    thread: seedId(46),
    announcements: seedId(47),
    privateThread: seedId(48),
  },
  emojiId: seedId(60),
} as const;

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
        everyone: EVERYDAY_PERMISSIONS,
        roles: [
          { id: roles.crew, name: "Crew", permissions: 0n, color: 0x3498db, mentionable: true },
          {
            id: roles.bot,
            name: "Harbour Pilot",
            permissions: BOT_PERMISSIONS,
            ofBot: true,
            mentionable: true,
          },
          {
            id: roles.moderator,
            name: "Moderator",
            permissions: MODERATOR_PERMISSIONS,
            color: 0xe67e22,
            hoist: true,
          },
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

function demoChannels(): ChannelSeed[] {
  const { channels, roles, users, guildId, botId } = DEMO;
  return [
    { id: channels.category, name: "Quayside", kind: "category" },
    { id: channels.general, name: "general", kind: "text", parentId: channels.category, topic: "Say hello" },
    { id: channels.help, name: "help", kind: "text", parentId: channels.category, topic: "Ask the crew" },
    { id: channels.random, name: "random", kind: "text", parentId: channels.category, slowModeSeconds: 5 },
    {
      id: channels.staff,
      name: "staff",
      kind: "text",
      overwrites: [
        { id: guildId, type: "role", deny: ViewChannel },
        { id: roles.moderator, type: "role", allow: ViewChannel },
        { id: botId, type: "member", allow: ViewChannel },
      ],
    },
    {
      id: channels.announcements,
      name: "announcements",
      kind: "announcement",
      overwrites: [{ id: guildId, type: "role", deny: SendMessages }],
    },
    { id: channels.voice, name: "Wheelhouse", kind: "voice", parentId: channels.category },
    {
      id: channels.thread,
      name: "spring regatta",
      kind: "thread",
      parentId: channels.general,
      ownerId: users.ana,
    },
    {
      id: channels.privateThread,
      name: "surprise party",
      kind: "private_thread",
      parentId: channels.general,
      ownerId: users.moderator,
    },
  ];
}

function demoMessages(): MessageSeed[] {
  const { channels, users } = DEMO;
  return [
    {
      channelId: channels.general,
      authorId: users.owner,
      minutesAgo: 2880,
      content: "Welcome to Harbour! Read the topic, then say hello.",
    },
    {
      channelId: channels.general,
      authorId: users.ana,
      minutesAgo: 1500,
      content: "Hello all. The regatta is on the first Saturday of May.",
    },
    {
      channelId: channels.general,
      authorId: users.ben,
      minutesAgo: 1490,
      content: "Count me in for the regatta, I can bring tea.",
    },
    { channelId: channels.help, authorId: users.ben, minutesAgo: 300, content: "How do I tie a bowline?" },
    {
      channelId: channels.help,
      authorId: users.moderator,
      minutesAgo: 290,
      content: "Make a loop, up through it, round the post and back down.",
    },
    {
      channelId: channels.staff,
      authorId: users.moderator,
      minutesAgo: 200,
      content: "Keys to the boathouse are with Olive.",
    },
    { channelId: channels.thread, authorId: users.ana, minutesAgo: 120, content: "Who brings the flags?" },
  ];
}
