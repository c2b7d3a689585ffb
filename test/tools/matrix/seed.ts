import { PermissionFlagsBits as P } from "discord-api-types/v10";
import type {
  ChannelSeed,
  GuildSeed,
  OverwriteSeed,
  WorldSeed,
} from "../../../src/simulator/discord/seed.ts";
import { everydayPermissions } from "../../../src/simulator/discord/world-seed.ts";
import { messagesElsewhere, messagesWithin } from "./messages.ts";
import {
  actors,
  botId,
  channels,
  deleted,
  elsewhere,
  guildId,
  noHistory,
  otherGuildId,
  ownThreadOf,
  roles,
  silent,
  unseen,
  userOf,
  users,
} from "./scene.ts";

export const moderating: bigint =
  P.ManageMessages |
  P.PinMessages |
  P.ManageThreads |
  P.CreatePrivateThreads |
  P.KickMembers |
  P.BanMembers |
  P.ModerateMembers |
  P.ManageNicknames |
  P.ManageRoles |
  P.ViewAuditLog;
export const ofBot: bigint = everydayPermissions | moderating | P.ManageChannels;

/** There is something to be cleared in each. */
const forGuests: OverwriteSeed = { id: roles.guests, type: "role", deny: P.AddReactions };
/** For the crew and the moderators, and for the bot to look at. */
const hidden: readonly OverwriteSeed[] = [
  forGuests,
  { id: guildId, type: "role", deny: P.ViewChannel },
  { id: roles.crew, type: "role", allow: P.ViewChannel },
  { id: roles.moderators, type: "role", allow: P.ViewChannel },
  { id: botId, type: "member", allow: P.ViewChannel, deny: P.ManageMessages | P.ManageChannels },
];
const withoutBot: readonly OverwriteSeed[] = [forGuests, { id: botId, type: "member", deny: P.ViewChannel }];

/** Kept from all but those, and the bot. */
const keptFor = (bits: bigint, roleIds: readonly string[]): readonly OverwriteSeed[] => [
  forGuests,
  { id: guildId, type: "role", deny: bits },
  ...roleIds.map((id): OverwriteSeed => ({ id, type: "role", allow: bits })),
  { id: botId, type: "member", allow: bits },
];
const writing = P.SendMessages | P.SendMessagesInThreads | P.AddReactions;

/** Those that only differ in what they say of permissions. */
const alike = [
  { name: "news", ids: silent, overwrites: keptFor(writing, [roles.moderators]) },
  { name: "fresh", ids: noHistory, overwrites: keptFor(P.ReadMessageHistory, []) },
  { name: "cabin", ids: unseen, overwrites: withoutBot },
  { name: "wreck", ids: deleted, overwrites: [forGuests] },
] as const;

const threads: readonly ChannelSeed[] = [
  thread(channels.generalThread, "regatta", channels.general, users.newcomer),
  thread(channels.staffThread, "keys", channels.staff, users.otherModerator),
  {
    ...thread(channels.privateThread, "surprise", channels.general, users.otherModerator),
    kind: "private_thread",
    memberIds: [users.member, users.timedOut],
  },
  thread(channels.ideasPost, "dock", channels.ideas, users.newcomer),
  thread(channels.plansPost, "pier", channels.plans, users.newcomer),
  ...[...new Set(actors.map(ownThreadOf))].map((id): ChannelSeed => {
    const owner = actors.find((actor) => ownThreadOf(actor) === id) ?? "owner";
    return thread(id, `thread of ${owner}`, channels.talk, userOf[owner]);
  }),
];

function thread(id: string, name: string, parentId: string, ownerId: string): ChannelSeed {
  return { id, name, kind: "thread", parentId, ownerId };
}

function place(
  id: string,
  name: string,
  kind: ChannelSeed["kind"],
  parentId: string | null,
  overwrites: readonly OverwriteSeed[] = [forGuests],
): ChannelSeed {
  return { id, name, kind, overwrites, ...(parentId === null ? {} : { parentId }) };
}

const harbour: GuildSeed = {
  id: guildId,
  name: "Harbour",
  ownerId: users.owner,
  everyone: everydayPermissions,
  roles: [
    { id: roles.guests, name: "Guests", permissions: 0n },
    { id: roles.crew, name: "Crew", permissions: 0n },
    { id: roles.moderators, name: "Moderators", permissions: moderating },
    { id: roles.bot, name: "Pilot", permissions: ofBot, ofBot: true },
    { id: roles.administrators, name: "Administrators", permissions: P.Administrator },
    { id: roles.deleted, name: "Gone", permissions: 0n },
  ],
  channels: [
    place(channels.quay, "Quay", "category", null),
    place(channels.vault, "Vault", "category", null, hidden),
    place(channels.talk, "talk", "text", channels.quay),
    place(channels.general, "general", "text", channels.quay),
    place(channels.staff, "staff", "text", channels.vault, hidden),
    place(channels.ideas, "ideas", "forum", channels.quay),
    place(channels.plans, "plans", "forum", channels.vault, hidden),
    ...alike.flatMap(({ name, ids, overwrites }) => [
      place(ids.category, `${name} deck`, "category", null, overwrites),
      place(ids.text, name, "text", ids.category, overwrites),
      place(ids.forum, `${name}-forum`, "forum", ids.category, overwrites),
      thread(ids.thread, `${name} thread`, ids.text, users.newcomer),
      thread(ids.post, `${name} post`, ids.forum, users.newcomer),
    ]),
    ...threads,
  ],
  members: [
    { userId: users.owner },
    { userId: users.administrator, roleIds: [roles.administrators] },
    { userId: users.otherAdministrator, roleIds: [roles.administrators] },
    { userId: users.moderator, roleIds: [roles.moderators] },
    { userId: users.otherModerator, roleIds: [roles.moderators] },
    { userId: users.member, roleIds: [roles.crew] },
    { userId: users.otherMember, roleIds: [roles.crew] },
    { userId: users.timedOut, roleIds: [roles.crew] },
    { userId: users.without },
    { userId: users.newcomer },
    { userId: botId, roleIds: [roles.bot] },
  ],
  messages: messagesWithin,
};

/** The owner and the moderator can look at everything in it, which is of no matter to what they do in the other. */
const lighthouse: GuildSeed = {
  id: otherGuildId,
  name: "Lighthouse",
  ownerId: users.owner,
  everyone: everydayPermissions,
  roles: [
    { id: roles.elsewhere, name: "Keepers", permissions: 0n },
    { id: roles.botElsewhere, name: "Pilot", permissions: ofBot, ofBot: true },
  ],
  channels: [
    place(elsewhere.category, "Tower", "category", null, []),
    place(elsewhere.text, "lamp-room", "text", elsewhere.category, []),
    place(elsewhere.forum, "logbook", "forum", elsewhere.category, []),
    thread(elsewhere.thread, "oil", elsewhere.text, users.owner),
    thread(elsewhere.post, "storm", elsewhere.forum, users.owner),
  ],
  members: [
    { userId: users.owner },
    { userId: users.moderator },
    { userId: users.outsider },
    { userId: botId, roleIds: [roles.botElsewhere] },
  ],
  messages: messagesElsewhere,
};

const { nobody: _nobody, ...existing } = users;

export const matrixSeed: WorldSeed = {
  applicationId: botId,
  bot: { id: botId, username: "pilot", globalName: "Pilot", bot: true },
  users: Object.entries(existing).map(([name, id]) => ({ id, username: name.toLowerCase() })),
  guilds: [harbour, lighthouse],
};
