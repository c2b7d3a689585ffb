/** Plain data that permission decisions are made of. Ids are Discord snowflakes, permissions their bits. */

export interface RoleFacts {
  readonly id: string;
  readonly name: string;
  readonly permissions: bigint;
  readonly position: number;
}

export interface GuildFacts {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly roles: ReadonlyMap<string, RoleFacts>;
}

export interface OverwriteFacts {
  /** Role or user id. */
  readonly id: string;
  readonly type: "role" | "member";
  readonly allow: bigint;
  readonly deny: bigint;
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
  readonly overwrites: readonly OverwriteFacts[];
  /** Users of a direct message, the bot left out. */
  readonly recipientIds: readonly string[];
}

export interface MemberFacts {
  readonly userId: string;
  /** What refusals call them; without it they are named by a mention of their id. */
  readonly name?: string;
  /** Without @everyone. */
  readonly roleIds: readonly string[];
  /** Milliseconds since 1970; null when not timed out. */
  readonly timedOutUntil: number | null;
}
