import { type APIBan, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { toAppError } from "../../errors.ts";
import { pageSize, snowflake } from "../argument-schemas.ts";
import { nextPage, nullable, person } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool, type ReadContext } from "../tool.ts";

const { BanMembers } = PermissionFlagsBits;

export const bansList = defineTool({
  name: "discord_bans_list",
  title: "List bans",
  description:
    "Lists who is banned from this Discord server and why, in the order of their ids; or tells whether one user is.",
  family: "members",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      user_id: Type.Optional(snowflake("Only whether this user is banned.")),
      limit: pageSize("bans", { most: 100, default: 25 }),
      after: Type.Optional(snowflake("Only users after this id: next_after of the page before.")),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    next_after: nextPage("after"),
    bans: Type.Array(Type.Object({ ...person, reason: nullable(Type.String()) })),
  }),
  targets: { guild: { kind: "guild", argument: null, absent: "error", needs: BanMembers } },
  async run({ user_id: userId, limit = 25, after }, { guild }, context) {
    const guildId = guild.facts.id;
    const sources = [fromGuild(guildId, BanMembers)];
    if (userId !== undefined) {
      const ban = await banOf(guildId, userId, context);
      return { value: { bans: ban === null ? [] : [describe(ban)] }, sources };
    }
    const from = after === undefined ? {} : { after };
    // One more tells whether there is a next page.
    const found = await context.discord.bans(guildId, { ...from, limit: limit + 1 }, context.signal);
    const bans = found.slice(0, limit);
    const last = bans.at(-1);
    const hasMore = found.length > limit && last !== undefined;
    const value = { ...(hasMore ? { next_after: last.user.id } : {}), bans: bans.map(describe) };
    return { value, sources };
  },
});

/** Null for somebody who is not banned. */
async function banOf(guildId: string, userId: string, { discord, signal }: ReadContext) {
  try {
    return await discord.ban(guildId, userId, signal);
  } catch (error) {
    if (toAppError(error).code === "not_found") return null;
    throw error;
  }
}

const describe = ({ user, reason }: APIBan) => ({
  user_id: user.id,
  username: user.username,
  display_name: user.global_name ?? user.username,
  reason,
});
