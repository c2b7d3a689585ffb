import type { Actor } from "../actor.ts";
import { AppError } from "../errors.ts";
import type { ChannelFacts, GuildFacts, MemberFacts, RoleFacts } from "../permissions/facts.ts";
import { isAboveMember, isAboveRole } from "../permissions/hierarchy.ts";
import { permissionNames } from "../permissions/names.ts";
import type { Standings } from "./standings.ts";
import type { Standing } from "./targets.ts";

/**
 * What the actor and the bot may do, as one call sees it: every question about the same thing has the same answer.
 * Each `assert…` throws AppError `permission_denied` with a sentence that names whose permission is missing, and where.
 */
export interface Authority {
  readonly actor: Actor;
  botUserId(): Promise<string>;
  /** Of the actor's server. Throws `not_found` in direct messages, and for who is no member. */
  guild(): Promise<GuildFacts>;
  /** What the actor and the bot may do in the server. */
  inGuild(): Promise<{ readonly actor: Standing; readonly bot: Standing }>;
  /** What they may do in a channel of it; null for what the actor cannot see. */
  inChannel(channel: ChannelFacts): Promise<{ readonly actor: Standing; readonly bot: Standing } | null>;
  /** The channels of the server, threads apart, that the actor can see. */
  visibleChannels(): Promise<readonly ChannelFacts[]>;
  member(userId: string): Promise<MemberFacts | null>;
  isThreadMember(threadId: string, userId: string): Promise<boolean>;
  assertInGuild(permissions: bigint): Promise<void>;
  /** Both (or one of them alone) may act on that member: kick, time out, rename. */
  assertAboveMember(member: MemberFacts, name: string, who?: "both" | "actor" | "bot"): Promise<void>;
  /** Both have a role above it, and it can be given and taken by hand; for its position alone the latter is no matter. */
  assertAboveRole(role: RoleFacts, what?: "all" | "position"): Promise<void>;
  /** Whoever gives permissions must hold them: both hold all of these in the server. */
  assertHoldsAll(permissions: bigint): Promise<void>;
}

export function createAuthority(actor: Actor, standings: Standings): Authority {
  const guildId = (): string => {
    if (actor.guildId === null)
      throw new AppError("not_found", "This is a direct message: there is no server here.");
    return actor.guildId;
  };
  const memberOf = async (userId: string): Promise<MemberFacts> => {
    const facts = await standings.member(guildId(), userId);
    if (facts === null) throw noServer();
    return facts;
  };
  // Its roles and members are for its members: who has left it may still have a session there.
  const guild = async (): Promise<GuildFacts> => {
    const viewerId = actor.kind === "bot" ? await standings.botUserId() : actor.userId;
    const [facts] = await Promise.all([standings.guild(guildId()), memberOf(viewerId)]);
    if (facts === null) throw noServer();
    return facts;
  };
  const both = async (): Promise<readonly { userId: string; who: string }[]> => {
    const botUserId = await standings.botUserId();
    const bot = { userId: botUserId, who: "The bot" };
    if (actor.kind === "bot") return [bot];
    const { name } = await memberOf(actor.userId);
    return [{ userId: actor.userId, who: standings.nameOf(actor.userId, name) }, bot];
  };

  const inGuild = async () => {
    const of = async (userId: string) => {
      const standing = await standings.inGuild(userId, guildId());
      if (standing === null) throw noServer();
      return standing;
    };
    const bot = await of(await standings.botUserId());
    return { actor: actor.kind === "bot" ? bot : await of(actor.userId), bot };
  };

  const authority: Authority = {
    actor,
    botUserId: () => standings.botUserId(),
    guild,
    inGuild,
    async inChannel(channel) {
      const bot = await standings.inFacts(await standings.botUserId(), guildId(), channel);
      const own = actor.kind === "bot" ? bot : await standings.inFacts(actor.userId, guildId(), channel);
      return own === null || bot === null || !standings.sees(own) ? null : { actor: own, bot };
    },
    visibleChannels: () => standings.visibleChannels(actor, guildId()),
    member: (userId) => standings.member(guildId(), userId),
    isThreadMember: (threadId, userId) => standings.isThreadMember(threadId, userId),
    async assertInGuild(permissions) {
      const { actor: own, bot } = await inGuild();
      assertStanding(permissions, own);
      assertStanding(permissions, bot);
    },
    async assertAboveMember(member, name, whose = "both") {
      const facts = await guild();
      for (const { userId, who } of await both()) {
        if (whose !== "both" && actor.kind === "user" && (whose === "bot") !== (who === "The bot")) continue;
        if (isAboveMember(facts, await memberOf(userId), member)) continue;
        throw denied(
          member.userId === facts.ownerId
            ? `${name} owns the server: nobody can do that to them.`
            : `${who} cannot do that to ${name}, whose highest role is not below theirs.`,
        );
      }
    },
    async assertAboveRole(role, what = "all") {
      if (role.isManaged && what === "all")
        throw denied(
          `The role ${quoted(role.name)} belongs to an integration: it cannot be changed, given or taken by hand.`,
        );
      const facts = await guild();
      for (const { userId, who } of await both()) {
        if (isAboveRole(facts, await memberOf(userId), role)) continue;
        throw denied(
          `${who} cannot touch the role ${quoted(role.name)}, which is not below their highest role.`,
        );
      }
    },
    async assertHoldsAll(permissions) {
      const { actor: own, bot } = await inGuild();
      for (const standing of [own, bot]) {
        const missing = permissionNames(permissions & ~standing.bits);
        if (missing.length > 0)
          throw denied(
            `${standing.who} cannot give what they do not have themselves: ${missing.join(", ")}.`,
            missing,
          );
      }
    },
  };

  return authority;
}

/** Throws AppError `permission_denied` that names what is missing. */
export function assertStanding(needed: bigint, { bits, withheld, who, place }: Standing): void {
  const missing = permissionNames(needed & ~bits & ~withheld);
  if (missing.length > 0)
    throw denied(
      `${who} cannot ${missing.join(" and ")} in ${place}; somebody who manages the server can allow it.`,
      missing,
    );
  // Discord tells nobody whether a person has set up two-factor authentication, so it is not established.
  const concerned = permissionNames(needed & withheld);
  if (concerned.length === 0) return;
  throw denied(
    `This server asks for two-factor authentication of whoever uses ${concerned.join(" and ")}, and Discord does not say who has it. The operator can vouch for the server's moderators (moderators_use_2fa in GUILD_POLICIES).`,
    concerned,
  );
}

export function denied(sentence: string, missing?: readonly string[]): AppError {
  return new AppError("permission_denied", sentence, missing === undefined ? {} : { data: { missing } });
}

const noServer = (): AppError =>
  new AppError("not_found", "There is no such server that can be seen from here.");

/** Names are other people's text: in a sentence of ours they stay one short line, and do not end their quotes. */
export const quoted = (name: string): string => `"${plain(name).replaceAll('"', "'")}"`;

export const plain = (name: string): string => oneLine(name).slice(0, 100).toWellFormed();

/** Without anything that breaks the line or hides in it. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
