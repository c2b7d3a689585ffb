import { type APIMessage, ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError, toAppError } from "../../errors.ts";
import { pageSize, snowflake } from "../argument-schemas.ts";
import { describeMessage, messageShape, seemsWithheld, withheldNote } from "../messages/describe.ts";
import { forums } from "../messages/kinds.ts";
import { flag, nextPage, note, nullable } from "../result-schemas.ts";
import { fromChannel } from "../sources.ts";
import type { ChannelPlace } from "../targets.ts";
import { defineTool, type ReadContext } from "../tool.ts";
import { threadOrOwn } from "./arguments.ts";
import { readForum, tagNames } from "./forum.ts";

export const forumPostRead = defineTool({
  name: "discord_forum_post_read",
  title: "Read a forum post",
  description: "Reads a post of a Discord forum: its title, tags, first message, and replies, newest first.",
  family: "threads",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: threadOrOwn("Which post."),
      limit: pageSize("replies", { most: 50, default: 20 }),
      before: Type.Optional(
        snowflake("Only replies before this message id: next_before of the page before."),
      ),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    thread_id: Type.String(),
    title: Type.String(),
    tags: Type.Array(Type.String()),
    owner_id: nullable(Type.String({ description: "Who made it." })),
    archived: flag("It is archived."),
    locked: flag("It is locked."),
    note,
    first_message: Type.Union([messageShape, Type.Object({ deleted: Type.Boolean() })]),
    next_before: nextPage("before"),
    replies: Type.Array(messageShape, { description: "Newest first." }),
  }),
  targets: {
    post: {
      kind: "channel",
      argument: "channel_id",
      absent: "own",
      types: [ChannelType.PublicThread],
      needs: PermissionFlagsBits.ReadMessageHistory,
    },
  },
  check(_input, { post }) {
    forumOf(post);
  },
  async run({ limit = 20, before }, { post }, context) {
    const { discord, signal } = context;
    const { facts } = post;
    // The first message is read by itself, and one reply more than is shown.
    const page = { limit: limit + 2, ...(before === undefined ? {} : { before }) };
    const [forum, thread, messages, first] = await Promise.all([
      readForum(forumOf(post), context),
      discord.channel(facts.id, signal),
      discord.messages(facts.id, page, signal),
      firstMessage(facts.id, context),
    ]);
    const replies = messages.filter(({ id }) => id !== facts.id);
    const shown = replies.slice(0, limit);
    const last = shown.at(-1);
    const value = {
      thread_id: facts.id,
      title: facts.name,
      tags: tagNames("applied_tags" in thread ? thread.applied_tags : undefined, forum),
      owner_id: facts.thread?.ownerId ?? null,
      ...(facts.thread?.isArchived ? { archived: true } : {}),
      ...(facts.thread?.isLocked ? { locked: true } : {}),
      ...([...messages, ...(first === null ? [] : [first])].some(seemsWithheld)
        ? { note: withheldNote }
        : {}),
      first_message: first === null ? { deleted: true } : describeMessage(first),
      ...(replies.length > limit && last !== undefined ? { next_before: last.id } : {}),
      replies: shown.map(describeMessage),
    };
    return { value, sources: [fromChannel(facts.id)] };
  },
});

/** The forum of a post. Throws AppError `invalid_arguments` for a thread of another channel. */
function forumOf({ parent, actor }: ChannelPlace): string {
  const types: readonly number[] = forums;
  if (parent !== null && types.includes(parent.type)) return parent.id;
  throw new AppError(
    "invalid_arguments",
    `${actor.place} is a thread, but no post of a forum; discord_message_history reads it.`,
  );
}

/** It has the post's id. Null when it was deleted. */
async function firstMessage(postId: string, { discord, signal }: ReadContext): Promise<APIMessage | null> {
  try {
    return await discord.message(postId, postId, signal);
  } catch (error) {
    if (toAppError(error).code === "not_found") return null;
    throw error;
  }
}
