import type { APIGuildMember } from "discord-api-types/v10";
import { Type } from "typebox";
import { pageSize, roleArgument, snowflake } from "../argument-schemas.ts";
import { nextPage, note } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool, type ReadContext } from "../tool.ts";
import { describeMember, memberShape } from "./describe.ts";
import { cut, type MemberPage, type Scan, scanMembers } from "./scan.ts";

/** https://docs.discord.com/developers/resources/guild#search-guild-members */
const mostFound = 1000;

export const membersSearch = defineTool({
  name: "discord_members_search",
  title: "Search members",
  description:
    "Finds members of this Discord server by the beginning of a name, by role, or both; without either it lists all. In the order of their ids.",
  family: "members",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      query: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 100,
          pattern: "\\S",
          description: "What the user name, display name or nickname begins with. At most 100 characters.",
        }),
      ),
      role_id: Type.Optional(roleArgument("Only members who have this role.")),
      limit: pageSize("members", { most: 100, default: 25 }),
      after: Type.Optional(snowflake("Only members after this user id: next_after of the page before.")),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    next_after: nextPage("after"),
    note,
    members: Type.Array(memberShape),
  }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: 0n },
    role: { kind: "role", argument: "role_id", absent: "none", needs: 0n },
  },
  async run({ query, limit = 25, after }, { guild: { facts }, role }, context) {
    const roleId = role === null || role.facts.id === facts.id ? null : role.facts.id;
    const fits = ({ roles }: APIGuildMember) => roleId === null || roles.includes(roleId);
    const scan = { guildId: facts.id, after, limit, fits };
    const found =
      query === undefined
        ? await scanMembers(scan, context)
        : await searchMembers(query.trim(), scan, context);
    const value = {
      ...(found.nextAfter === null ? {} : { next_after: found.nextAfter }),
      ...(found.note === null ? {} : { note: found.note }),
      members: found.members.map((member) => describeMember(member, facts)),
    };
    return { value, sources: [fromGuild(facts.id)] };
  },
});

/** Discord has no pages for what it finds by name: all of it is asked for, and what a page needs taken out. */
async function searchMembers(
  query: string,
  { guildId, after = "0", limit, fits }: Scan,
  { discord, signal }: ReadContext,
): Promise<MemberPage> {
  const found = await discord.searchMembers(guildId, query, mostFound, signal);
  const fitting = found
    .filter((member) => fits(member) && BigInt(member.user.id) > BigInt(after))
    .sort((a, b) => (BigInt(a.user.id) < BigInt(b.user.id) ? -1 : 1));
  const note = `Discord finds ${mostFound} members by a name at most; give more of it.`;
  return { ...cut(fitting, limit), note: found.length < mostFound ? null : note };
}
