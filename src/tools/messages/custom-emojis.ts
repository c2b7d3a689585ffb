import { PermissionFlagsBits } from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import type { Authority } from "../authority.ts";
import { assertStanding, denied } from "../authority.ts";
import type { ChannelPlace } from "../targets.ts";
import type { CheckContext } from "../tool.ts";

/**
 * The ids of custom emojis in a text: https://docs.discord.com/developers/reference#message-formatting. Discord goes by
 * the id: one with a name of one letter, or of a hundred, is shown as well.
 */
export const customEmojiIds = (text: string): readonly string[] => [
  ...new Set([...text.matchAll(/<a?:\w+:(\d{15,20})>/g)].flatMap(([, id]) => (id === undefined ? [] : [id]))),
];

/**
 * The bot could use any emoji anywhere: those of other servers only where both may use external ones, and those that
 * the server keeps for some roles only for who has one of them. Throws AppError `permission_denied`.
 */
export async function assertMayUseEmojis(
  emojiIds: readonly string[],
  place: ChannelPlace,
  authority: Authority,
  { discord, signal }: Pick<CheckContext, "discord" | "signal">,
): Promise<void> {
  const { guildId } = place.facts;
  if (guildId === null || emojiIds.length === 0) return;
  const own = new Map((await discord.guildEmojis(guildId, signal)).map((emoji) => [emoji.id, emoji]));
  for (const id of emojiIds) {
    const emoji = own.get(id);
    if (emoji === undefined) {
      assertStanding(PermissionFlagsBits.UseExternalEmojis, place.actor);
      assertStanding(PermissionFlagsBits.UseExternalEmojis, place.bot);
      continue;
    }
    if (emoji.available === false)
      throw new AppError("invalid_arguments", `The emoji ${id} cannot be used at present.`);
    if (authority.actor.kind === "bot" || !emoji.roles?.length) continue;
    const held = (await authority.member(authority.actor.userId))?.roleIds ?? [];
    if (!emoji.roles.some((role) => held.includes(role)))
      throw denied(`${place.actor.who} cannot use the emoji ${id}, which this server keeps for some roles.`);
  }
}
