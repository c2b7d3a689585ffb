import type { APIGuildMember, APIUser } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../errors.ts";
import { madeAt, snowflake } from "./schemas.ts";
import { defineTool, type ToolContext } from "./tool.ts";

export const userLookup = defineTool({
  name: "discord_user_lookup",
  title: "Look up a user",
  description:
    "Tells who a Discord user is: names, when the account was made, and in a server also nickname, roles, when they joined, time-out and boosts. Without user_id: the person who asks.",
  input: Type.Object(
    { user_id: Type.Optional(snowflake("Whom to look up. Default: the person who asks.")) },
    { additionalProperties: false },
  ),
  kind: "read",
  repeatable: true,
  needs({ user_id: userId }, actor) {
    const asked = userId ?? actor.userId;
    if (actor.guildId === null) return [{ target: { kind: "user", userId: asked }, permissions: 0n }];
    return [{ target: { kind: "member", guildId: actor.guildId, userId: asked }, permissions: 0n }];
  },
  async run({ user_id: userId }, context) {
    const { guildId } = context.actor;
    const asked = userId ?? context.actor.userId;
    const member = guildId === null ? null : await findMember(guildId, asked, context);
    const user = member?.user ?? (await context.discord.user(asked, context.signal));
    const value = {
      ...describeUser(user),
      ...(guildId === null
        ? {}
        : { member: member === null ? null : await describeMember(member, guildId, context) }),
    };
    const sources =
      guildId === null || member === null ? [`user:${asked}`] : [`user:${asked}`, `guild:${guildId}`];
    return { value, sources };
  },
});

/** Null for somebody who is not in the server. */
async function findMember(guildId: string, userId: string, { discord, signal }: ToolContext) {
  try {
    return await discord.member(guildId, userId, signal);
  } catch (error) {
    if (error instanceof AppError && error.code === "not_found") return null;
    throw error;
  }
}

function describeUser(user: APIUser) {
  return {
    user_id: user.id,
    username: user.username,
    display_name: user.global_name ?? user.username,
    bot: user.bot ?? false,
    created_at: madeAt(user.id),
  };
}

async function describeMember(
  member: APIGuildMember,
  guildId: string,
  { discord, now, signal }: ToolContext,
) {
  const roles = await discord.guildRoles(guildId, signal);
  const until = member.communication_disabled_until ?? null;
  return {
    nick: member.nick ?? null,
    roles: roles
      .filter(({ id }) => member.roles.includes(id))
      .sort((a, b) => b.position - a.position)
      .map(({ name }) => name),
    joined_at: member.joined_at,
    timed_out_until: until !== null && Date.parse(until) > now() ? until : null,
    boosting_since: member.premium_since ?? null,
    pending_rules: member.pending ?? false,
  };
}
