import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { dangerousPermissions } from "../../permissions/audit.ts";
import { guildPermissions } from "../../permissions/compute.ts";
import { permissionNames } from "../../permissions/names.ts";
import { madeAt, userArgument } from "../argument-schemas.ts";
import { assertStanding } from "../authority.ts";
import { flag, nullable, timestamp } from "../result-schemas.ts";
import { fromGuild, fromUser } from "../sources.ts";
import type { MemberPlace } from "../targets.ts";
import { defineTool, type ReadContext } from "../tool.ts";
import { describeMember, memberShape, rolesOf } from "./describe.ts";
import { timeoutOf, timeoutShape } from "./timeouts.ts";

const { Administrator, ManageRoles } = PermissionFlagsBits;

export const memberInfo = defineTool({
  name: "discord_member_info",
  title: "Describe a member",
  description:
    "Tells about a member of this Discord server: names, roles, when they joined, boosts, and to those who can give one a time-out. Without user_id: the person who asks.",
  family: "members",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      user_id: Type.Optional(userArgument("Which member. Default: the person who asks.")),
      with_permissions: Type.Optional(
        Type.Boolean({
          default: false,
          description:
            "Also which powerful permissions they have in the server; of others this is for those who manage roles.",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    ...memberShape.properties,
    roles: Type.Array(Type.Object({ role_id: Type.String(), name: Type.String() }), {
      description: "The highest first.",
    }),
    boosting_since: nullable(timestamp("Since when they boost the server.")),
    pending_rules: Type.Boolean({ description: "Whether they have yet to accept the server's rules." }),
    owns_server: flag("The server is theirs."),
    ...timeoutShape.properties,
    key_permissions: Type.Optional(
      Type.Array(Type.String(), { description: "Powerful ones that they have." }),
    ),
    account_created_at: timestamp("When their account was made."),
  }),
  targets: { member: { kind: "member", argument: "user_id", absent: "self", needs: 0n } },
  async check({ with_permissions: withPermissions = false }, { member }, authority) {
    if (!withPermissions || member.facts.userId === authority.actor.userId) return;
    assertStanding(ManageRoles, (await authority.inGuild()).actor);
  },
  async run({ with_permissions: withPermissions = false }, { member }, context) {
    const { authority, discord, signal } = context;
    const { guildId, facts } = member;
    const [found, guild] = await Promise.all([
      discord.member(guildId, facts.userId, signal),
      authority.guild(),
    ]);
    const timeout = await timeoutOf(guildId, facts, context);
    const permissions = withPermissions ? await permissionsOf(member, context) : { value: {}, sources: [] };
    const value = {
      ...describeMember(found, guild),
      roles: rolesOf(found.roles, guild).map(({ id, name }) => ({ role_id: id, name })),
      boosting_since: found.premium_since ?? null,
      pending_rules: found.pending ?? false,
      ...(guild.ownerId === facts.userId ? { owns_server: true } : {}),
      ...timeout.value,
      ...permissions.value,
      account_created_at: madeAt(facts.userId),
    };
    const sources = [fromGuild(guildId), fromUser(facts.userId), ...timeout.sources, ...permissions.sources];
    return { value, sources };
  },
});

/** Discord's apps show permissions of others to those who manage roles. */
async function permissionsOf({ guildId, facts }: MemberPlace, { actor, authority, now }: ReadContext) {
  const held = guildPermissions(await authority.guild(), facts, now());
  // An administrator has all of them.
  const shown = held & Administrator ? Administrator : held & dangerousPermissions;
  return {
    value: { key_permissions: permissionNames(shown) },
    sources: actor.userId === facts.userId ? [] : [fromGuild(guildId, ManageRoles)],
  };
}
