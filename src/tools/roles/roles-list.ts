import { Type } from "typebox";
import { pageSize } from "../argument-schemas.ts";
import { nextOffset } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { describeRole, places, rolePosition, roleShape } from "./describe.ts";

export const rolesList = defineTool({
  name: "discord_roles_list",
  title: "List roles",
  description:
    "Lists the roles of this Discord server, the highest first, with their places (1 is the lowest).",
  family: "roles",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      limit: pageSize("roles", { most: 100, default: 50 }),
      offset: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 500, default: 0, description: "How many to pass over first." }),
      ),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    total: Type.Integer(),
    next_offset: nextOffset,
    roles: Type.Array(Type.Object({ position: rolePosition, ...roleShape.properties })),
  }),
  targets: { guild: { kind: "guild", argument: null, absent: "error", needs: 0n } },
  async run({ limit = 50, offset = 0 }, { guild }, { discord, signal }) {
    const guildId = guild.facts.id;
    const roles = places(await discord.guildRoles(guildId, signal), guildId)
      .map((role, index) => ({ position: index + 1, ...describeRole(role) }))
      .toReversed();
    const value = {
      total: roles.length,
      ...(roles.length > offset + limit ? { next_offset: offset + limit } : {}),
      roles: roles.slice(offset, offset + limit),
    };
    return { value, sources: [fromGuild(guildId)] };
  },
});
