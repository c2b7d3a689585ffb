import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { permissionNames } from "../../permissions/names.ts";
import { madeAt, pageSize, roleArgument, snowflake } from "../argument-schemas.ts";
import { assertStanding } from "../authority.ts";
import { type MemberPage, scanMembers } from "../members/scan.ts";
import { nextPage, note, person, timestamp } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import type { RolePlace } from "../targets.ts";
import { defineTool, type ReadContext } from "../tool.ts";
import { describeRole, placeOf, rolePosition, roleShape } from "./describe.ts";

const { ManageRoles } = PermissionFlagsBits;

export const roleInfo = defineTool({
  name: "discord_role_info",
  title: "Describe a role",
  description:
    "Tells about a role of this Discord server and who has it; to those who manage roles also what it permits.",
  family: "roles",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      role_id: roleArgument("Which role."),
      with_permissions: Type.Optional(
        Type.Boolean({
          default: false,
          description: "Also what it permits in the server, which is for those who manage roles.",
        }),
      ),
      limit: pageSize("of its members", { most: 100, default: 25 }),
      after: Type.Optional(snowflake("Only members after this user id: next_after of the page before.")),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    ...roleShape.properties,
    position: rolePosition,
    created_at: timestamp("When it was made."),
    permissions: Type.Optional(Type.Array(Type.String())),
    next_after: nextPage("after"),
    note,
    members: Type.Array(Type.Object(person), { description: "Who has it." }),
  }),
  targets: { role: { kind: "role", argument: "role_id", absent: "error", needs: 0n } },
  async check({ with_permissions: withPermissions = false }, _places, authority) {
    if (withPermissions) assertStanding(ManageRoles, (await authority.inGuild()).actor);
  },
  async run({ with_permissions: withPermissions = false, limit = 25, after }, { role }, context) {
    const { guildId, facts } = role;
    const roles = await context.discord.guildRoles(guildId, context.signal);
    const found = roles.find(({ id }) => id === facts.id);
    if (found === undefined) throw new AppError("not_found", "That role was deleted a moment ago.");
    const page = await membersOf(role, limit, after, context);
    const value = {
      ...describeRole(found),
      position: placeOf(found.id, roles, guildId),
      created_at: madeAt(found.id),
      ...(withPermissions ? { permissions: permissionNames(BigInt(found.permissions)) } : {}),
      ...(page.nextAfter === null ? {} : { next_after: page.nextAfter }),
      ...(page.note === null ? {} : { note: page.note }),
      members: page.members.map(({ user, nick }) => ({
        user_id: user.id,
        username: user.username,
        display_name: nick ?? user.global_name ?? user.username,
      })),
    };
    const sources = [fromGuild(guildId), ...(withPermissions ? [fromGuild(guildId, ManageRoles)] : [])];
    return { value, sources };
  },
});

/** None, with a note that says why, where they cannot be listed. */
async function membersOf(
  { guildId, facts }: RolePlace,
  limit: number,
  after: string | undefined,
  context: ReadContext,
): Promise<MemberPage> {
  const none = { members: [], nextAfter: null };
  if (facts.id === guildId) return { ...none, note: "Every member has it." };
  try {
    const fits = ({ roles }: { readonly roles: readonly string[] }) => roles.includes(facts.id);
    return await scanMembers({ guildId, after, limit, fits }, context);
  } catch (error) {
    if (error instanceof AppError && error.code === "permission_denied")
      return { ...none, note: error.message };
    throw error;
  }
}
