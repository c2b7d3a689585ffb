import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { channelArgument, reasonArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { assertMayUseEmojis, customEmojiIds } from "../messages/custom-emojis.ts";
import { forums } from "../messages/kinds.ts";
import { embedsOf, mentionsOf, messageText } from "../messages/post.ts";
import { excerpt, saying } from "../question.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { archiveArgument, threadName } from "./arguments.ts";
import { postShape } from "./describe.ts";
import { assertTags, maxTags, readForum, tagsNamed } from "./forum.ts";
import { describePost } from "./forum-posts-list.ts";

export const forumPostCreate = defineTool({
  name: "discord_forum_post_create",
  title: "Make a forum post",
  description: "Makes a post in a Discord forum as the bot: a title, its first message, and tags.",
  family: "threads",
  kind: "write",
  repeatable: false,
  input: Type.Object(
    {
      channel_id: channelArgument("Which forum."),
      title: threadName("Its title."),
      content: messageText("Its first message."),
      tags: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 50, description: "A tag's name or id." }), {
          maxItems: maxTags,
          uniqueItems: true,
          description: `Tags of that forum, at most ${maxTags}.`,
        }),
      ),
      auto_archive_minutes: archiveArgument,
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: postShape,
  targets: {
    // Making a post needs no permission to create threads: https://docs.discord.com/developers/topics/threads#creating-threads-in-forum-and-media-channels
    forum: {
      kind: "channel",
      argument: "channel_id",
      absent: "error",
      types: forums,
      speaks: true,
      needs: PermissionFlagsBits.SendMessages,
    },
  },
  async check({ content, tags = [] }, { forum: place }, authority, by) {
    const forum = await readForum(place.facts.id, by);
    assertTags(tagsNamed(tags, forum), forum, place);
    await assertMayUseEmojis(customEmojiIds(content), place, authority, by);
  },
  question: ({ title, content }, { forum }) =>
    `Make a post ${excerpt(title)} in ${forum.actor.place}, saying ${saying(content)}?`,
  audience: (_input, { forum }) => inChannel(forum),
  async run(given, { forum: place }, context) {
    const { actor, change, now, reason, sent, signal } = context;
    const { title, content, tags = [], auto_archive_minutes: minutes } = given;
    const forum = await readForum(place.facts.id, context);
    const applied = tagsNamed(tags, forum).map(({ id }) => id);
    const post = await change.createForumPost(
      forum.id,
      {
        name: title,
        message: { content, allowed_mentions: mentionsOf(place, actor), ...embedsOf(place) },
        ...(applied.length === 0 ? {} : { applied_tags: applied }),
        ...(minutes === undefined ? {} : { auto_archive_duration: minutes }),
      },
      { signal, reason: reason(given.reason) },
    );
    // Its first message has its id; in the forum it counts for slow mode.
    await sent.record({ messageId: post.id, channelId: forum.id, userId: actor.userId, at: now() });
    return { value: describePost(post, forum), sources: [fromChannel(forum.id)] };
  },
});
