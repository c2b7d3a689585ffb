import { type APIUser, PermissionFlagsBits } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { madeAt, userArgument } from "../argument-schemas.ts";
import { nobody } from "../find-people.ts";
import { timeoutOf, timeoutShape } from "../members/timeouts.ts";
import { nullable, person, timestamp } from "../result-schemas.ts";
import { fromGuild, fromUser } from "../sources.ts";
import { defineTool, type ReadContext } from "../tool.ts";

const userShape = Type.Object({
  ...person,
  bot: Type.Boolean(),
  created_at: timestamp("When the account was made."),
});
const memberShape = Type.Object({
  nick: nullable(Type.String()),
  roles: Type.Array(Type.String(), { description: "Their names, the highest first." }),
  joined_at: nullable(timestamp("When they joined the server.")),
  boosting_since: nullable(timestamp("Since when they boost it.")),
  pending_rules: Type.Boolean({ description: "Whether they have yet to accept its rules." }),
});

export const userLookup = defineTool({
  name: "discord_user_lookup",
  title: "Look up a user",
  description:
    "Tells who a Discord user is: names, when the account was made, and in a server also nickname, roles, when they joined and boosts, and to those who can give one a time-out. Without user_id: the person who asks.",
  family: "users",
  kind: "read",
  repeatable: true,
  isCore: true,
  input: Type.Object(
    { user_id: Type.Optional(userArgument("Whom to look up. Default: the person who asks.")) },
    { additionalProperties: false },
  ),
  output: Type.Object({
    ...userShape.properties,
    member: Type.Optional(nullable(Type.Object({ ...memberShape.properties, ...timeoutShape.properties }))),
  }),
  targets: {
    // Before the user, so that what it takes to decide costs strangers and nobody the same.
    guild: { kind: "guild", argument: null, absent: "none", needs: 0n },
    user: { kind: "user", argument: "user_id", absent: "self", needs: 0n },
  },
  /**
   * By hand one sees the members of a server, and nobody else; who may ban looks up anybody by their id. In a direct
   * message there are two people.
   */
  async check(_input, { guild, user }, authority) {
    const { actor } = authority;
    const isThere =
      guild === null
        ? [actor.userId, await authority.botUserId()].includes(user.user.id)
        : user.member !== null || (guild.actor.bits & PermissionFlagsBits.BanMembers) !== 0n;
    if (!isThere) throw nobody(user.user.id);
  },
  async run(_input, { guild, user: { user, member } }, context) {
    if (guild === null) return { value: describeUser(user), sources: [fromUser(user.id)] };
    if (member === null)
      return { value: { ...describeUser(user), member: null }, sources: [fromUser(user.id)] };
    const timeout = await timeoutOf(guild.facts.id, member, context);
    const described = await describeMember(guild.facts.id, user.id, context);
    return {
      value: { ...describeUser(user), member: { ...described, ...timeout.value } },
      sources: [fromUser(user.id), fromGuild(guild.facts.id), ...timeout.sources],
    };
  },
});

function describeUser(user: APIUser): Static<typeof userShape> {
  return {
    user_id: user.id,
    username: user.username,
    display_name: user.global_name ?? user.username,
    bot: user.bot ?? false,
    created_at: madeAt(user.id),
  };
}

async function describeMember(
  guildId: string,
  userId: string,
  { authority, discord, signal }: ReadContext,
): Promise<Static<typeof memberShape>> {
  const member = await discord.member(guildId, userId, signal);
  const { roles } = await authority.guild();
  return {
    nick: member.nick ?? null,
    roles: [...roles.values()]
      .filter(({ id }) => member.roles.includes(id))
      .sort((a, b) => b.position - a.position)
      .map(({ name }) => name),
    joined_at: member.joined_at,
    boosting_since: member.premium_since ?? null,
    pending_rules: member.pending ?? false,
  };
}
