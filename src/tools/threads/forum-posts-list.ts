import { type APIThreadChannel, ChannelFlags, PermissionFlagsBits } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { AppError } from "../../errors.ts";
import { isSnowflake } from "../../snowflake.ts";
import { channelArgument, pageSize } from "../argument-schemas.ts";
import { forums } from "../messages/kinds.ts";
import { pageTime } from "../messages/times.ts";
import { nextPage } from "../result-schemas.ts";
import { fromChannel } from "../sources.ts";
import { defineTool, type ReadContext } from "../tool.ts";
import { activityOf, archivedAt, describeThread, postShape } from "./describe.ts";
import { type Forum, readForum, tagNames, tagsNamed } from "./forum.ts";
import { seenThreads } from "./seen.ts";

/** Pages of a hundred archived posts that are looked through for one answer. */
const maxPages = 5;

export const forumPostsList = defineTool({
  name: "discord_forum_posts_list",
  title: "List forum posts",
  description:
    "Lists the posts of a Discord forum with their tags, those with the latest activity first: open ones, or archived ones.",
  family: "threads",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: channelArgument("Which forum."),
      state: Type.Optional(
        Type.Enum(["active", "archived"], {
          default: "active",
          description: "Which posts. Default: active.",
        }),
      ),
      tag: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 50,
          description: "Only posts with this tag: its name or id.",
        }),
      ),
      limit: pageSize("posts", { most: 50, default: 20 }),
      before: Type.Optional(
        Type.String({ minLength: 1, maxLength: 40, description: "next_before of the page before." }),
      ),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    channel_id: Type.String(),
    tags: Type.Array(Type.String(), { description: "All that posts of this forum can have." }),
    next_before: nextPage("before"),
    posts: Type.Array(postShape),
  }),
  targets: {
    forum: {
      kind: "channel",
      argument: "channel_id",
      absent: "error",
      types: forums,
      needs: PermissionFlagsBits.ReadMessageHistory,
    },
  },
  check({ state = "active", before }) {
    if (before === undefined) return;
    if (state === "archived") pageTime("before", before);
    else if (!isSnowflake(before))
      throw new AppError("invalid_arguments", "before must be the next_before of an earlier page.", {
        data: { path: "before", problem: "must be the next_before of an earlier page" },
      });
  },
  async run({ state = "active", tag, limit = 20, before }, { forum: { facts } }, context) {
    const forum = await readForum(facts.id, context);
    const tagId = tag === undefined ? null : (tagsNamed([tag], forum)[0]?.id ?? null);
    const fits = ({ applied_tags: tags }: APIThreadChannel) => tagId === null || (tags ?? []).includes(tagId);
    const page = { limit, before, fits };
    const guildId = facts.guildId ?? "";
    const { posts, isCapped, cursor } =
      state === "active"
        ? await active(facts.id, guildId, page, context)
        : await archived(facts.id, guildId, page, context);
    const shown = posts.slice(0, limit);
    const last = posts.length > limit || isCapped ? cursor(shown) : undefined;
    const value = {
      channel_id: facts.id,
      tags: forum.available_tags.map(({ name }) => name),
      ...(last === undefined ? {} : { next_before: last }),
      posts: shown.map((post) => describePost(post, forum)),
    };
    return { value, sources: [fromChannel(facts.id)] };
  },
});

interface Page {
  readonly limit: number;
  readonly before: string | undefined;
  readonly fits: (post: APIThreadChannel) => boolean;
}

interface Posts {
  readonly posts: readonly APIThreadChannel[];
  readonly isCapped: boolean;
  /** Where the next page begins, after what is shown. */
  readonly cursor: (shown: readonly APIThreadChannel[]) => string | undefined;
}

async function active(
  forumId: string,
  guildId: string,
  { limit, before, fits }: Page,
  context: ReadContext,
): Promise<Posts> {
  const all = await context.discord.activeThreads(guildId, context.signal);
  const sorted = all
    .filter((post) => post.parent_id === forumId && fits(post))
    .filter((post) => before === undefined || BigInt(activityOf(post)) < BigInt(before))
    .toSorted((a, b) => (BigInt(activityOf(a)) > BigInt(activityOf(b)) ? -1 : 1));
  const posts = await seenThreads(sorted, guildId, limit + 1, context);
  const cursor: Posts["cursor"] = (shown) => {
    const last = shown.at(-1);
    return last === undefined ? undefined : activityOf(last);
  };
  return { posts, isCapped: false, cursor };
}

/** All posts are public, so a page may end where no more fitted. */
async function archived(
  forumId: string,
  guildId: string,
  { limit, before, fits }: Page,
  context: ReadContext,
): Promise<Posts> {
  const posts: APIThreadChannel[] = [];
  let from = before === undefined ? undefined : pageTime("before", before);
  for (let page = 0; page < maxPages; page++) {
    const asked = { limit: 100, ...(from === undefined ? {} : { before: from }) };
    const { threads, hasMore } = await context.discord.archivedThreads(
      forumId,
      "public",
      asked,
      context.signal,
    );
    const seen = await seenThreads(threads.filter(fits), guildId, limit + 1 - posts.length, context);
    posts.push(...seen);
    from = archivedAt(threads.at(-1));
    if (posts.length > limit) break;
    if (!hasMore || from === undefined) return { posts, isCapped: false, cursor: () => undefined };
  }
  const isFull = posts.length > limit;
  return {
    posts,
    isCapped: !isFull,
    cursor: (shown) => (isFull ? archivedAt(shown.at(-1)) : from),
  };
}

/** A post as tools give it. */
export function describePost(post: APIThreadChannel, forum: Forum): Static<typeof postShape> {
  const { type: _, name: title, thread_id, ...rest } = describeThread(post);
  return {
    thread_id,
    title,
    tags: tagNames(post.applied_tags, forum),
    ...(((post.flags ?? 0) & ChannelFlags.Pinned) === 0 ? {} : { pinned: true }),
    ...rest,
  };
}
