import { PermissionFlagsBits } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { type DangerousHolder, dangerous } from "../../permissions/audit.ts";
import type { GuildFacts } from "../../permissions/facts.ts";
import { permissionNames } from "../../permissions/names.ts";
import { sourcesOfChannels } from "../channels/shown.ts";
import { note, nullable } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool, type Told } from "../tool.ts";
import { type Members, membersFor } from "./members.ts";
import { permissionArgument, permissionBits } from "./permission-words.ts";

/** Names shown for one role; how many there are is said besides. */
const maxNames = 10;

/**
 * Roles with what they may do are shown by hand to those who manage them, on the page of the server's roles; so it takes
 * Manage Roles. View Audit Log shows changes of them alone, and Manage Server other pages.
 */
const needed = PermissionFlagsBits.ManageRoles;

/** A role, or somebody. */
const holderShape = Type.Object({
  role_id: Type.Optional(Type.String()),
  role: Type.Optional(nullable(Type.String({ description: "Its name." }))),
  user_id: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  may: Type.Array(Type.String()),
});

export const permissionsAudit = defineTool({
  name: "discord_permissions_audit",
  title: "Audit permissions",
  description:
    "Lists who can do dangerous things in the server (administrate, ban, manage roles, channels, messages, webhooks, mention everyone, …), and through which role or channel permission.",
  family: "permissions",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    { permission: Type.Optional(permissionArgument("Only this one.")) },
    { additionalProperties: false },
  ),
  output: Type.Object({
    note,
    owner: Type.Object({
      user_id: Type.String(),
      name: Type.Optional(Type.String()),
      may: Type.Array(Type.String()),
    }),
    roles: Type.Array(
      Type.Object({
        ...holderShape.properties,
        held_by: Type.Optional(
          Type.Union([Type.Integer(), Type.String()], { description: "How many members, or that all do." }),
        ),
        members: Type.Optional(Type.Array(Type.Object({ user_id: Type.String(), name: Type.String() }))),
      }),
    ),
    channels: Type.Array(
      Type.Object({
        channel_id: Type.String(),
        channel: nullable(Type.String({ description: "Its name." })),
        more_than_in_the_server: Type.Array(holderShape),
      }),
    ),
  }),
  targets: {
    guild: {
      kind: "guild",
      argument: null,
      absent: "error",
      needs: 0n,
      actorNeeds: needed,
    },
  },
  check({ permission }) {
    if (permission !== undefined) permissionBits("permission", [permission]);
  },
  async run({ permission }, { guild: { facts } }, context) {
    const wanted = permission === undefined ? null : permissionBits("permission", [permission]);
    const channels = await context.authority.visibleChannels();
    const grants = dangerous(facts, channels);
    const only = (holders: readonly DangerousHolder[]) =>
      holders.filter(({ permissions }) => wanted === null || (permissions & (wanted | Administrator)) !== 0n);
    const inGuild = only(grants.inGuild);
    const inChannels = grants.inChannels
      .map(({ channelId, holders }) => ({ channelId, holders: only(holders) }))
      .filter(({ holders }) => holders.length > 0);
    const members = await membersFor(facts.id, context);
    const owner = members.nameOf(facts.ownerId);
    const named = channels.filter(({ id }) => inChannels.some(({ channelId }) => channelId === id));
    const value = {
      ...(members.note === null ? {} : { note: members.note }),
      owner: { user_id: facts.ownerId, ...(owner === null ? {} : { name: owner }), may: ["everything"] },
      roles: inGuild.map((holder) => ({
        ...holderOf(holder, facts, members),
        ...holdingOf(holder, facts, members),
      })),
      channels: inChannels.map(({ channelId, holders }) => ({
        channel_id: channelId,
        channel: channels.find(({ id }) => id === channelId)?.name ?? null,
        more_than_in_the_server: holders.map((holder) => holderOf(holder, facts, members)),
      })),
    };
    const sources = [fromGuild(facts.id, needed), ...sourcesOfChannels(facts, named)];
    return { value, sources };
  },
});

const { Administrator } = PermissionFlagsBits;

function holderOf(
  { type, id, permissions }: DangerousHolder,
  guild: GuildFacts,
  members: Members,
): Told<Static<typeof holderShape>> {
  const may = permissionNames(permissions);
  if (type === "role") return { role_id: id, role: guild.roles.get(id)?.name ?? null, may };
  const name = members.nameOf(id);
  return { user_id: id, ...(name === null ? {} : { name }), may };
}

/** Who has a role, as far as the members are known; @everyone is everybody's. */
function holdingOf({ id }: DangerousHolder, guild: GuildFacts, members: Members) {
  if (id === guild.id) return { held_by: "every member" };
  const holding = members.withRole(id);
  return holding === null ? {} : { held_by: holding.length, members: holding.slice(0, maxNames) };
}
