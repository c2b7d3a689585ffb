import { PermissionFlagsBits } from "discord-api-types/v10";
import type { MemberFacts, OverwriteFacts } from "../../permissions/facts.ts";
import { permissionNames } from "../../permissions/names.ts";
import { type Authority, denied } from "../authority.ts";
import type { ChannelPlace } from "../targets.ts";

const { Administrator, ManageRoles } = PermissionFlagsBits;
type Bits = Pick<OverwriteFacts, "allow" | "deny">;

const none: Bits = { allow: 0n, deny: 0n };

/** Null where a channel says nothing of that role or member. */
export const overwriteOf = ({ facts }: ChannelPlace, id: string): OverwriteFacts | null =>
  facts.overwrites.find((one) => one.id === id) ?? null;

/** What is allowed or denied otherwise than before. */
export function touchedBits(before: Bits | null, after: Bits | null): bigint {
  const [was, is] = [before ?? none, after ?? none];
  return (was.allow ^ is.allow) | (was.deny ^ is.deny);
}

/**
 * Nobody allows, denies or clears for others what they do not have themselves, in the server or in the category, unless
 * an overwrite of that very channel gives them Manage Roles; and that one is for administrators to give. The order of
 * roles does not count here. Manage Roles in the channel is needed besides, and stated as such.
 * https://docs.discord.com/developers/resources/channel#edit-channel-permissions
 * https://docs.discord.com/developers/resources/guild#create-guild-channel
 * https://docs.discord.com/developers/topics/permissions#permission-hierarchy
 */
export async function assertMayTouch(
  { facts, actor: { place } }: ChannelPlace,
  touched: bigint,
  authority: Authority,
): Promise<void> {
  const inGuild = await authority.inGuild();
  const category = (await authority.visibleChannels()).find(({ id }) => id === facts.parentId);
  const inCategory = category === undefined ? null : await authority.inChannel(category);
  const botUserId = await authority.botUserId();
  for (const whose of ["actor", "bot"] as const) {
    const { bits, who } = inGuild[whose];
    if (bits & Administrator) continue;
    if (touched & ManageRoles)
      throw denied(`${who} cannot change who may Manage Roles in ${place}: that takes an administrator.`, [
        "Administrator",
      ]);
    const userId = whose === "bot" ? botUserId : authority.actor.userId;
    if (isGivenManageRoles(facts.overwrites, await authority.member(userId))) continue;
    const lacked = touched & ~(bits | (inCategory?.[whose].bits ?? 0n));
    if (lacked === 0n) continue;
    // Discord adds permissions from time to time.
    const known = permissionNames(lacked);
    const missing = known.length > 0 ? known : ["a permission that is not known here"];
    throw denied(
      `${who} cannot change for others, in ${place}, what they do not have themselves: ${missing.join(", ")}.`,
      missing,
    );
  }
}

function isGivenManageRoles(overwrites: readonly OverwriteFacts[], member: MemberFacts | null): boolean {
  if (member === null) return false;
  const own = [member.userId, ...member.roleIds];
  return overwrites.some(({ id, allow }) => own.includes(id) && (allow & ManageRoles) !== 0n);
}
