import { snowflakeAt } from "./snowflake.ts";

const seedTime = Date.UTC(2024, 2, 1);
const seedId = (step: number): string => snowflakeAt(seedTime, step);

/** The ids of `demoWorld` and `twoServers`, the same in every process. */
export const demoIds = {
  applicationId: seedId(1),
  /** As for every bot made in this decade, the user's id is the application's. */
  botId: seedId(1),
  guildId: seedId(10),
  users: { owner: seedId(20), moderator: seedId(21), ana: seedId(22), ben: seedId(23), otherBot: seedId(24) },
  /** `muted` is nobody's yet: it may not write in #random and #ideas. */
  roles: { moderator: seedId(30), crew: seedId(31), bot: seedId(32), muted: seedId(33) },
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
    /** A forum, with the tags below. */
    forum: seedId(49),
    /** In the forum, by Ana. */
    post: seedId(50),
    /** A private thread of #general to which the moderator and Ana belong. */
    sharedThread: seedId(51),
    /** An archived thread of #help. */
    archivedThread: seedId(52),
  },
  tags: { boats: seedId(70), tea: seedId(71), approved: seedId(72) },
  /** The second server of `twoServers`: Olive owns it, and of the others only Ben belongs to it. */
  lighthouse: {
    guildId: seedId(11),
    roles: { bot: seedId(35) },
    channels: { lampRoom: seedId(80), keepers: seedId(81) },
  },
  emojiId: seedId(60),
} as const;
