import { snowflakeAt } from "../../../src/simulator/discord/snowflake.ts";

/*
 * Who and what there is in the world of the matrix. Permissions are so that each actor is refused something, the bot
 * too: it stands below the administrators, and manages nothing in the private channels.
 */

const madeAt = Date.UTC(2024, 4, 1);
const id = (step: number): string => snowflakeAt(madeAt, step);

export const guildId = id(1);
export const otherGuildId = id(2);
export const botId = id(3);

export const users = {
  owner: id(10),
  administrator: id(11),
  otherAdministrator: id(12),
  moderator: id(13),
  otherModerator: id(14),
  member: id(15),
  otherMember: id(16),
  timedOut: id(17),
  without: id(18),
  newcomer: id(19),
  outsider: id(20),
  left: id(21),
  nobody: id(22),
} as const;

/** From the lowest. */
export const roles = {
  guests: id(30),
  crew: id(31),
  moderators: id(32),
  bot: id(33),
  administrators: id(34),
  deleted: id(35),
  elsewhere: id(36),
  botElsewhere: id(37),
  nowhere: id(38),
} as const;

/** Whose permissions a call is made with. */
export const actors = [
  "owner",
  "administrator",
  "moderator",
  "member",
  "timed_out",
  "without",
  "outsider",
  "bot",
  "token",
] as const;
export type ActorName = (typeof actors)[number];

/** Whose permissions they are: a member's token is that member. */
export const userOf: Readonly<Record<ActorName, string>> = {
  owner: users.owner,
  administrator: users.administrator,
  moderator: users.moderator,
  member: users.member,
  timed_out: users.timedOut,
  without: users.without,
  outsider: users.outsider,
  bot: botId,
  token: users.member,
};

/** Kinds of channel as far as tools tell them apart. */
export type ChannelKind = "text" | "thread" | "forum" | "post" | "category";

export const channelTargets = [
  "own",
  "public",
  "silent",
  "no_history",
  "private",
  "private_thread",
  "unseen",
  "foreign",
  "deleted",
  "missing",
] as const;
export type ChannelTarget = (typeof channelTargets)[number];

export const channels = {
  quay: id(40),
  vault: id(41),
  talk: id(42),
  general: id(43),
  staff: id(44),
  ideas: id(45),
  plans: id(46),
  generalThread: id(47),
  staffThread: id(48),
  privateThread: id(49),
  ideasPost: id(50),
  plansPost: id(51),
} as const;
export const elsewhere = { category: id(60), text: id(61), thread: id(62), forum: id(63), post: id(64) };
/** Where everybody looks on, and only moderators write. */
export const silent = { category: id(100), text: id(101), thread: id(102), forum: id(103), post: id(104) };
/** Where only administrators read what was written before. */
export const noHistory = { category: id(110), text: id(111), thread: id(112), forum: id(113), post: id(114) };
/** For everybody but the bot. */
export const unseen = { category: id(65), text: id(66), thread: id(67), forum: id(68), post: id(69) };
export const deleted = { category: id(70), text: id(71), thread: id(72), forum: id(73), post: id(74) };
export const missingChannel = id(80);

const ownThreads = new Map<string, string>();
for (const user of new Set(Object.values(userOf))) ownThreads.set(user, id(90 + ownThreads.size));

/** A public thread of #talk that this actor has started. */
export const ownThreadOf = (actor: ActorName): string => ownThreads.get(userOf[actor]) ?? "";

const ofKind: Readonly<
  Record<ChannelKind, Readonly<Record<Exclude<ChannelTarget, "own" | "private_thread" | "missing">, string>>>
> = {
  text: {
    public: channels.general,
    private: channels.staff,
    silent: silent.text,
    no_history: noHistory.text,
    unseen: unseen.text,
    foreign: elsewhere.text,
    deleted: deleted.text,
  },
  thread: {
    public: channels.generalThread,
    private: channels.staffThread,
    silent: silent.thread,
    no_history: noHistory.thread,
    unseen: unseen.thread,
    foreign: elsewhere.thread,
    deleted: deleted.thread,
  },
  forum: {
    public: channels.ideas,
    private: channels.plans,
    silent: silent.forum,
    no_history: noHistory.forum,
    unseen: unseen.forum,
    foreign: elsewhere.forum,
    deleted: deleted.forum,
  },
  post: {
    public: channels.ideasPost,
    private: channels.plansPost,
    silent: silent.post,
    no_history: noHistory.post,
    unseen: unseen.post,
    foreign: elsewhere.post,
    deleted: deleted.post,
  },
  category: {
    public: channels.quay,
    private: channels.vault,
    silent: silent.category,
    no_history: noHistory.category,
    unseen: unseen.category,
    foreign: elsewhere.category,
    deleted: deleted.category,
  },
};

/** The channel of that kind; their own is the one that they speak in, a thread of theirs where it is about threads. */
export function channelFor(kind: ChannelKind, target: ChannelTarget, actor: ActorName): string {
  switch (target) {
    case "own":
      return kind === "thread" ? ownThreadOf(actor) : channels.talk;
    case "private_thread":
      return channels.privateThread;
    case "missing":
      return missingChannel;
    default:
      return ofKind[kind][target];
  }
}

export const memberTargets = {
  self: null,
  newcomer: users.newcomer,
  member: users.otherMember,
  moderator: users.otherModerator,
  administrator: users.otherAdministrator,
  owner: users.owner,
  bot: botId,
  left: users.left,
  missing: users.nobody,
} as const;
export type MemberTarget = keyof typeof memberTargets;

export const roleTargets = {
  everyone: guildId,
  guests: roles.guests,
  crew: roles.crew,
  moderators: roles.moderators,
  bot: roles.bot,
  administrators: roles.administrators,
  foreign: roles.elsewhere,
  deleted: roles.deleted,
  missing: roles.nowhere,
} as const;
export type RoleTarget = keyof typeof roleTargets;

/** In #general. */
export const messageTargets = [
  "own",
  "somebodys",
  "bots_for_them",
  "bots_for_another",
  "elsewhere",
  "deleted",
  "missing",
] as const;
export type MessageTarget = (typeof messageTargets)[number];

export const guildTargets = { own: guildId, foreign: otherGuildId, missing: id(4) } as const;
export type GuildTarget = keyof typeof guildTargets;
