import { type APIRole, ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { permissionNames } from "../../../src/permissions/names.ts";
import { channelPermissions, guildPermissions } from "../../../src/simulator/discord/permissions.ts";
import type { AnyChannel, World } from "../../../src/simulator/discord/world.ts";
import { type ActorName, botId, type ChannelKind, guildId, userOf, users } from "./scene.ts";

/*
 * What Discord would say, worked out without the product: by the simulator's own arithmetic of permissions and by the
 * few rules below. It says of a call every reason for which it is refused; without one it is allowed.
 */

export type Permission = keyof typeof PermissionFlagsBits;

export type Reason =
  | { readonly kind: "lacks"; readonly who: "actor" | "bot"; readonly permissions: readonly string[] }
  /** What permissions do not say. */
  | { readonly kind: "rule"; readonly label: string; readonly words: RegExp }
  | { readonly kind: "not_found" }
  /** The arguments do not fit each other, or the channel is not of the kind that this is about. */
  | { readonly kind: "unfit" };

export const notFound: Reason = { kind: "not_found" };
export const unfit: Reason = { kind: "unfit" };
export const rule = (label: string, words: RegExp): Reason => ({ kind: "rule", label, words });

/** Whose call it is, in which world. */
export interface Scene {
  readonly discord: World;
  readonly actor: ActorName;
}

export const idOf = ({ actor }: Pick<Scene, "actor">): string => userOf[actor];
const harbour = ({ discord }: Scene) => discord.guild(guildId);
export const isMember = (scene: Scene, userId = idOf(scene)): boolean => harbour(scene).members.has(userId);

/** Whoever acts: the actor, and the bot that does it for them. */
const whose = (scene: Scene) =>
  [
    { who: "actor", userId: idOf(scene) },
    { who: "bot", userId: botId },
  ] as const;

export interface Needs {
  readonly actor: readonly Permission[];
  readonly bot: readonly Permission[];
}

export const both = (...permissions: Permission[]): Needs => ({ actor: permissions, bot: permissions });
export const actorAlone = (...permissions: Permission[]): Needs => ({ actor: permissions, bot: [] });
export const nothing: Needs = { actor: [], bot: [] };

/** What is needed at once, or one after the other: a refusal then names what the first of them lacks. */
export type Needed = Needs | readonly Needs[];

const isList = (needed: Needed): needed is readonly Needs[] => Array.isArray(needed);

/** In the words of Discord's settings; for a bot's own power everything is the bot's. */
function lacks(scene: Scene, needed: Needed, bitsOf: (userId: string) => bigint): readonly Reason[] {
  if (isList(needed)) return needed.flatMap((needs) => lacks(scene, needs, bitsOf));
  const needs = needed;
  return whose(scene).flatMap(({ who, userId }): readonly Reason[] => {
    const missing = needs[who].filter((name) => (bitsOf(userId) & PermissionFlagsBits[name]) === 0n);
    const permissions = missing.flatMap((name) => permissionNames(PermissionFlagsBits[name]));
    if (permissions.length === 0) return [];
    return [{ kind: "lacks", who: userId === botId ? "bot" : who, permissions }];
  });
}

export const lacksInServer = (scene: Scene, needs: Needed): readonly Reason[] =>
  isMember(scene)
    ? lacks(scene, needs, (userId) => guildPermissions(scene.discord, harbour(scene), userId))
    : [notFound];

export const lacksInChannel = (scene: Scene, channel: AnyChannel, needs: Needed): readonly Reason[] =>
  lacks(scene, needs, (userId) => channelPermissions(scene.discord, channel, userId));

/** A channel of the server that both can see; null for what is to be as if there were none. */
export function seen(scene: Scene, channelId: string): AnyChannel | null {
  const channel = scene.discord.channel(channelId);
  if (channel === null || scene.discord.guildOfChannel(channelId)?.id !== guildId) return null;
  return lacksInChannel(scene, channel, both("ViewChannel")).length > 0 ? null : channel;
}

export function kindOf({ discord }: Scene, channel: AnyChannel): ChannelKind {
  switch (channel.type) {
    case ChannelType.GuildCategory:
      return "category";
    case ChannelType.GuildForum:
      return "forum";
    case ChannelType.PublicThread:
      return discord.channel(channel.parent_id ?? "")?.type === ChannelType.GuildForum ? "post" : "thread";
    case ChannelType.PrivateThread:
      return "thread";
    default:
      return "text";
  }
}

/** https://docs.discord.com/developers/topics/permissions#permission-hierarchy */
const rankOf = (scene: Scene, userId: string): number => {
  const all = harbour(scene).roles;
  const held = (harbour(scene).members.get(userId)?.roles ?? []).flatMap((id): APIRole[] =>
    [all.get(id) ?? []].flat(),
  );
  return Math.max(0, ...held.map(({ position }) => position));
};

const isAbove = (scene: Scene, userId: string, rank: number): boolean =>
  userId === users.owner || rankOf(scene, userId) > rank;

/** Both have to stand above a member; nobody stands above the owner. What people do to themselves, the bot does for them. */
export function notAboveMember(
  scene: Scene,
  memberId: string,
  { exceptSelf = false }: { readonly exceptSelf?: boolean } = {},
): readonly Reason[] {
  if (!isMember(scene, memberId)) return [];
  if (memberId === users.owner) return [rule("owner", /owns the server/)];
  return whose(scene)
    .filter(({ userId }) => !(exceptSelf && userId === memberId))
    .filter(({ userId }) => !isAbove(scene, userId, rankOf(scene, memberId)))
    .map(({ userId }) =>
      userId === botId
        ? rule("rank of the bot", /^The bot cannot do that to .*, whose highest role is not below theirs/)
        : rule("rank", /^@.* cannot do that to .*, whose highest role is not below theirs/),
    );
}

export function notAboveRole(scene: Scene, role: APIRole): readonly Reason[] {
  return whose(scene)
    .filter(({ userId }) => !isAbove(scene, userId, role.position))
    .map(({ userId }) =>
      userId === botId
        ? rule("rank of the bot", /^The bot cannot touch the role/)
        : rule("rank", /^@.* cannot touch the role/),
    );
}

export const roleOf = (scene: Scene, roleId: string): APIRole | null =>
  harbour(scene).roles.get(roleId) ?? null;

/** https://support.discord.com/hc/en-us/articles/4413305239191-Time-Out-FAQ */
export const inTimeOut = (scene: Scene): readonly Reason[] =>
  idOf(scene) === users.timedOut ? [rule("time-out", /is timed out and can only read/)] : [];
