import type { APIRole } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import type { RoleFacts } from "../../permissions/facts.ts";
import { highestFirst } from "../members/describe.ts";
import { flag, nullable } from "../result-schemas.ts";

/** https://docs.discord.com/developers/resources/guild#create-guild-role */
const maxName = 100;

export const roleName = Type.String({
  minLength: 1,
  maxLength: maxName,
  pattern: "\\S",
  description: `What it is called; at most ${maxName} characters.`,
});
export const roleColor = Type.String({
  pattern: "^#[0-9a-fA-F]{6}$",
  description: "Its colour, such as #3498db; #000000 for none.",
});
export const roleHoist = Type.Boolean({
  description: "Whether its members are shown apart in the list of members.",
});
export const roleMentionable = Type.Boolean({ description: "Whether anybody may mention it." });

/** As Discord takes it. */
export const colorNumber = (color: string): number => Number.parseInt(color.slice(1), 16);

/** A role as tools give it, without its place and what it permits. */
export const roleShape = Type.Object({
  role_id: Type.String(),
  name: Type.String(),
  color: nullable(Type.String({ description: "Such as #3498db." })),
  hoist: Type.Boolean({ description: "Whether its members are shown apart." }),
  mentionable: Type.Boolean({ description: "Whether anybody may mention it." }),
  managed: flag("It belongs to an integration."),
});

/** Its place: see `places`. */
export const rolePosition = Type.Integer({ description: "Its place, 1 for the lowest; 0 for @everyone." });

export function describeRole({
  id,
  name,
  color,
  hoist,
  mentionable,
  managed,
}: APIRole): Static<typeof roleShape> {
  return {
    role_id: id,
    name,
    color: color === 0 ? null : `#${color.toString(16).padStart(6, "0")}`,
    hoist,
    mentionable,
    ...(managed ? { managed } : {}),
  };
}

/** From 1 for the lowest; @everyone, below all of them, has none. Discord's own numbers can have gaps. */
export function places<Role extends Pick<RoleFacts, "id" | "position">>(
  roles: Iterable<Role>,
  guildId: string,
): readonly Role[] {
  return highestFirst(roles)
    .filter(({ id }) => id !== guildId)
    .toReversed();
}

/** The place of one of them; 0 for @everyone. */
export const placeOf = (
  roleId: string,
  roles: Iterable<Pick<RoleFacts, "id" | "position">>,
  guildId: string,
): number => places(roles, guildId).findIndex(({ id }) => id === roleId) + 1;
