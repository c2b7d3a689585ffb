import type { APIMessage, APIUser, ChannelType } from "discord-api-types/v10";
import type { ChannelFacts, GuildFacts, MemberFacts, RoleFacts } from "../permissions/facts.ts";

/*
 * What a tool's arguments name, how they are found, and what the actor and the bot need there. The registry finds and
 * checks them in the order in which the tool states them, before the tool runs; what it has not stated, a tool must
 * not touch.
 */

/** Arguments of a call that has been validated. */
export type Given = Readonly<Record<string, unknown>>;

/**
 * Permissions (bits of PermissionFlagsBits); or such as depend on what was found, on who is asked about (the actor or
 * the bot) and on the arguments, with words for the documentation.
 */
export type Requirement<Place> =
  | bigint
  | { readonly words: string; readonly bits: (place: Place, userId: string, given: Given) => bigint };

interface Spec<Place> {
  /** The argument that names it; null when nothing does. */
  readonly argument: string | null;
  /** Of the actor and of the bot. */
  readonly needs: Requirement<Place>;
  /** Of the actor alone, besides. */
  readonly actorNeeds?: Requirement<Place>;
  /** Of the bot alone, besides. */
  readonly botNeeds?: Requirement<Place>;
}

/** View Channel is needed always, and need not be said. */
export interface ChannelSpec extends Spec<ChannelPlace> {
  readonly kind: "channel";
  /** When the argument is absent: the channel that the actor speaks in, none, or an error of the arguments. */
  readonly absent: "own" | "none" | "error";
  /** Kinds of channel that will do; all when it is left out. */
  readonly types?: readonly ChannelType[];
  /** Something is said there for the actor: slow mode, verification and closed threads count. */
  readonly speaks?: true;
}

export interface MessageSpec extends Spec<MessagePlace> {
  readonly kind: "message";
  readonly argument: string;
  /** The channel target that it is in, which must need Read Message History. */
  readonly in: string;
  readonly absent: "none" | "error";
}

/** Several messages of one channel. */
export interface MessagesSpec extends Spec<MessagesPlace> {
  readonly kind: "messages";
  readonly argument: string;
  readonly in: string;
}

/** Permissions are those in the server. */
export interface MemberSpec extends Spec<MemberPlace> {
  readonly kind: "member";
  readonly absent: "self" | "none" | "error";
  /** The actor and the bot must each stand above them: see permissions/hierarchy.ts. The actor is not asked about themselves. */
  readonly isBelow?: true;
}

/** Somebody who need not be a member of the server. */
export interface UserSpec extends Spec<UserPlace> {
  readonly kind: "user";
  readonly absent: "self" | "none" | "error";
  /** If they are a member: as for members. */
  readonly isBelow?: true;
}

/** Permissions are those in the server. */
export interface RoleSpec extends Spec<RolePlace> {
  readonly kind: "role";
  readonly absent: "none" | "error";
  /** The actor and the bot must each have a role above it, and it must not be managed by an integration. */
  readonly isBelow?: true;
}

export interface GuildSpec extends Spec<GuildPlace> {
  readonly kind: "guild";
  /** `none`: in direct messages there is none; else the tool is not offered there. */
  readonly absent: "none" | "error";
}

export type TargetSpec =
  | ChannelSpec
  | MessageSpec
  | MessagesSpec
  | MemberSpec
  | UserSpec
  | RoleSpec
  | GuildSpec;
export type TargetSpecs = Readonly<Record<string, TargetSpec>>;

/** What somebody may do somewhere, with the names that a refusal needs. */
export interface Standing {
  readonly bits: bigint;
  /**
   * Not among them, though roles and overwrites give it: it takes two-factor authentication there, and nobody can say
   * whether they use it. https://docs.discord.com/developers/resources/guild#guild-object-mfa-level
   */
  readonly withheld: bigint;
  /** "@ana" or "The bot". */
  readonly who: string;
  /** "#general", or the server's name. */
  readonly place: string;
}

export interface ChannelPlace {
  readonly kind: "channel";
  readonly facts: ChannelFacts;
  /** Of a thread. */
  readonly parent: ChannelFacts | null;
  readonly actor: Standing;
  readonly bot: Standing;
}

export interface MessagePlace {
  readonly kind: "message";
  readonly channel: ChannelPlace;
  readonly message: APIMessage;
  /** Whether the bot wrote it. */
  readonly isOurs: boolean;
  /** For whom the bot posted it, when it is the bot's. */
  readonly postedFor: string | null;
}

export interface MessagesPlace {
  readonly kind: "messages";
  readonly channel: ChannelPlace;
  readonly messages: readonly APIMessage[];
}

export interface MemberPlace {
  readonly kind: "member";
  readonly guildId: string;
  readonly facts: MemberFacts;
  /** "@ana". */
  readonly name: string;
}

export interface UserPlace {
  readonly kind: "user";
  readonly user: APIUser;
  /** Null when they are no member, or there is no server here. */
  readonly member: MemberFacts | null;
  readonly name: string;
}

export interface RolePlace {
  readonly kind: "role";
  readonly guildId: string;
  readonly facts: RoleFacts;
}

export interface GuildPlace {
  readonly kind: "guild";
  readonly facts: GuildFacts;
  readonly actor: Standing;
  readonly bot: Standing;
}

export type Place =
  | ChannelPlace
  | MessagePlace
  | MessagesPlace
  | MemberPlace
  | UserPlace
  | RolePlace
  | GuildPlace;

type PlaceOf<Spec extends TargetSpec> =
  | Extract<Place, { readonly kind: Spec["kind"] }>
  | (Spec extends { readonly absent: infer Absent } ? ("none" extends Absent ? null : never) : never);

/** What was found for the targets of a tool, under their names; null only where it may be absent. */
export type Places<Specs extends TargetSpecs> = { readonly [Name in keyof Specs]: PlaceOf<Specs[Name]> };
