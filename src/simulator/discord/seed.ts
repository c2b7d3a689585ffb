/** A world before it lives: plain data, ids included, so that a test or a demo can write down what exists. */
export interface WorldSeed {
  readonly applicationId: string;
  readonly bot: UserSeed;
  readonly users: readonly UserSeed[];
  readonly guilds: readonly GuildSeed[];
}

export interface UserSeed {
  readonly id: string;
  readonly username: string;
  readonly globalName?: string;
  readonly bot?: boolean;
}

export interface GuildSeed {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly ownerId: string;
  /** Permissions of @everyone, whose role id is the guild's. */
  readonly everyone: bigint;
  readonly roles: readonly RoleSeed[];
  readonly channels: readonly ChannelSeed[];
  readonly members: readonly MemberSeed[];
  readonly emojis?: readonly { readonly id: string; readonly name: string }[];
  readonly messages?: readonly MessageSeed[];
  readonly boosts?: number;
}

export interface RoleSeed {
  readonly id: string;
  readonly name: string;
  readonly permissions: bigint;
  readonly color?: number;
  readonly mentionable?: boolean;
  /** Its place among the roles; that in the list, from 1, when left out. */
  readonly position?: number;
  readonly hoist?: boolean;
  /** The role that Discord makes for the bot itself. */
  readonly ofBot?: boolean;
}

export interface OverwriteSeed {
  readonly id: string;
  readonly type: "role" | "member";
  readonly allow?: bigint;
  readonly deny?: bigint;
}

export interface ChannelSeed {
  readonly id: string;
  readonly name: string;
  readonly kind:
    | "text"
    | "announcement"
    | "voice"
    | "category"
    | "forum"
    | "thread"
    | "announcement_thread"
    | "private_thread";
  /** The category, or a thread's channel. */
  readonly parentId?: string;
  readonly topic?: string;
  readonly slowModeSeconds?: number;
  readonly overwrites?: readonly OverwriteSeed[];
  /** A thread's maker; its first member. */
  readonly ownerId?: string;
  /** Further members of a thread. */
  readonly memberIds?: readonly string[];
  /** Of a thread. */
  readonly archived?: boolean;
  /** 10,080 when left out. */
  readonly archiveAfterMinutes?: number;
  /** Whether a private thread's members may bring others in; they may when it is left out. */
  readonly invitable?: boolean;
  /** A forum's tags. */
  readonly tags?: readonly { readonly id: string; readonly name: string; readonly moderated?: boolean }[];
  /** Those of a forum post. */
  readonly appliedTags?: readonly string[];
}

export interface MemberSeed {
  readonly userId: string;
  readonly roleIds?: readonly string[];
  readonly nick?: string;
  readonly online?: boolean;
}

export interface MessageSeed {
  /** The name of a text file that is attached. */
  readonly file?: string;
  readonly channelId: string;
  readonly authorId: string;
  readonly content: string;
  /** Before the simulator's start. */
  readonly minutesAgo: number;
  /** A new one when left out; the first message of a forum post has the post's, and its time. */
  readonly id?: string;
}
