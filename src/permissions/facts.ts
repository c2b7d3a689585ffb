/** Plain data that permission decisions are made of. Ids are Discord snowflakes, permissions their bits. */

export interface RoleFacts {
  readonly id: string;
  readonly name: string;
  readonly permissions: bigint;
  readonly position: number;
  /** Belongs to a bot, an integration or to boosting: nobody can give, take or delete it by hand. */
  readonly isManaged: boolean;
}

export interface GuildFacts {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly roles: ReadonlyMap<string, RoleFacts>;
  /** Moderating needs two-factor authentication there. https://docs.discord.com/developers/resources/guild#guild-object-mfa-level */
  readonly requiresMfa: boolean;
  /** Discord's GuildVerificationLevel. */
  readonly verificationLevel: number;
}

export interface OverwriteFacts {
  /** Role or user id. */
  readonly id: string;
  readonly type: "role" | "member";
  readonly allow: bigint;
  readonly deny: bigint;
}

export interface ThreadFacts {
  readonly ownerId: string | null;
  readonly isArchived: boolean;
  readonly isLocked: boolean;
  /** Of a private thread: whether members who are no moderators may add others. */
  readonly isInvitable: boolean;
}

export interface ChannelFacts {
  readonly id: string;
  /** `null` for direct messages. */
  readonly guildId: string | null;
  readonly name: string;
  /** Discord's ChannelType. */
  readonly type: number;
  /** The category, or for a thread the channel that it belongs to. */
  readonly parentId: string | null;
  readonly position: number;
  /** Seconds between messages of one person; 0 for none. */
  readonly slowMode: number;
  readonly isAgeRestricted: boolean;
  readonly overwrites: readonly OverwriteFacts[];
  /** Users of a direct message, the bot left out. */
  readonly recipientIds: readonly string[];
  /** Of threads. */
  readonly thread: ThreadFacts | null;
}

export interface MemberFacts {
  readonly userId: string;
  /** What refusals call them; without it they are named by a mention of their id. */
  readonly name?: string;
  /** Without @everyone. */
  readonly roleIds: readonly string[];
  /** Milliseconds since 1970; null when not timed out. */
  readonly timedOutUntil: number | null;
  /** Milliseconds since 1970; null when it is not known. */
  readonly joinedAt: number | null;
  /** Has not yet agreed to the server's rules, where it asks for that. */
  readonly isPending: boolean;
}
