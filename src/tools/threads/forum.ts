import {
  type APIChannel,
  type APIGuildForumChannel,
  type APIGuildForumTag,
  type APIGuildMediaChannel,
  ChannelFlags,
  ChannelType,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import { assertStanding, plain } from "../authority.ts";
import type { ChannelPlace } from "../targets.ts";
import type { CheckContext } from "../tool.ts";

export type Forum = APIGuildForumChannel | APIGuildMediaChannel;

/** https://docs.discord.com/developers/resources/channel#start-thread-in-forum-or-media-channel */
export const maxTags = 5;

/**
 * With its tags, which the facts of permissions do not have, and which Discord may leave out. Throws as the reader does.
 */
export async function readForum(
  forumId: string,
  { discord, signal }: Pick<CheckContext, "discord" | "signal">,
): Promise<Forum> {
  const channel = await discord.channel(forumId, signal);
  if (isForum(channel)) return { ...channel, available_tags: channel.available_tags ?? [] };
  throw new AppError("not_found", "That channel is no forum any more.");
}

const isForum = (channel: APIChannel): channel is Forum =>
  channel.type === ChannelType.GuildForum || channel.type === ChannelType.GuildMedia;

/** The tags of these ids or names. Throws AppError `invalid_arguments` that lists those that there are. */
export function tagsNamed(said: readonly string[], { available_tags: tags }: Forum): APIGuildForumTag[] {
  const found = said.map((one) => {
    const text = one.trim();
    const tag = tags.find(({ id }) => id === text) ?? tags.find(({ name }) => folded(name) === folded(text));
    if (tag === undefined) throw wrongTag(`There is no tag ${plain(text)} in that forum; ${known(tags)}.`);
    return tag;
  });
  return [...new Set(found)];
}

/**
 * Tags as they may be put on a post: one at least where the forum asks for it, those for moderators by them alone.
 * Throws AppError `invalid_arguments` or `permission_denied`.
 */
export function assertTags(
  tags: readonly APIGuildForumTag[],
  forum: Forum,
  { actor, bot }: ChannelPlace,
): void {
  const asksForOne = ((forum.flags ?? 0) & ChannelFlags.RequireTag) !== 0;
  if (tags.length === 0 && asksForOne)
    throw wrongTag(`A post in ${actor.place} needs at least one tag; ${known(forum.available_tags)}.`);
  if (!tags.some(({ moderated }) => moderated)) return;
  assertStanding(PermissionFlagsBits.ManageThreads, actor);
  assertStanding(PermissionFlagsBits.ManageThreads, bot);
}

/** Tags that were deleted meanwhile are left out. */
export const tagNames = (ids: readonly string[] | undefined, { available_tags: tags }: Forum): string[] =>
  (ids ?? []).flatMap((id) => tags.filter((tag) => tag.id === id).map(({ name }) => name));

const known = (tags: readonly APIGuildForumTag[]): string =>
  tags.length === 0 ? "it has none" : `it has ${tags.map(({ name }) => plain(name)).join(", ")}`;

const wrongTag = (sentence: string): AppError =>
  new AppError("invalid_arguments", sentence, { data: { path: "tags", problem: sentence } });

const folded = (name: string): string => name.trim().normalize("NFKC").toLowerCase();
