import { AppError } from "../../errors.ts";
import type { RoleFacts } from "../../permissions/facts.ts";
import type { Authority } from "../authority.ts";
import type { RolePlace } from "../targets.ts";
import { places } from "./describe.ts";

/** The role and those that it passes over are to be below both. Throws AppError as `Authority` does. */
export async function assertMayMove(role: RolePlace, place: number, authority: Authority): Promise<void> {
  const { roles } = await authority.guild();
  const inOrder = places(roles.values(), role.guildId);
  if (place > inOrder.length)
    throw new AppError("invalid_arguments", `This server has ${inOrder.length} roles beside @everyone.`, {
      data: { path: "position", problem: `must be at most ${inOrder.length}` },
    });
  for (const passed of passedOver(role, place, inOrder)) await authority.assertAboveRole(passed, "position");
}

/**
 * The positions that put the role there: it and those that it passes over change place with each other, so that
 * nothing moves that is above or below them. Empty when it is there already.
 * https://docs.discord.com/developers/resources/guild#modify-guild-role-positions
 */
export function moved(
  role: RolePlace,
  place: number,
  roles: Iterable<RoleFacts>,
): readonly { readonly id: string; readonly position: number }[] {
  const before = passedOver(role, place, places(roles, role.guildId));
  const others = before.filter(({ id }) => id !== role.facts.id);
  const goesUp = before.at(0)?.id === role.facts.id;
  const after = goesUp ? [...others, role.facts] : [role.facts, ...others];
  if (others.length === 0) return [];
  return after.map(({ id }, index) => ({ id, position: before[index]?.position ?? 0 }));
}

/** From the lowest, itself among them. */
function passedOver(
  { facts }: RolePlace,
  place: number,
  inOrder: readonly RoleFacts[],
): readonly RoleFacts[] {
  const from = inOrder.findIndex(({ id }) => id === facts.id);
  const to = place - 1;
  return inOrder.slice(Math.min(from, to), Math.max(from, to) + 1);
}
