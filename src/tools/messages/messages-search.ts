import { PermissionFlagsBits } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { AppError } from "../../errors.ts";
import { channelArgument, pageSize, userArgument } from "../argument-schemas.ts";
import { searchedFor } from "../discord-port.ts";
import { nextOffset, nextPage, note } from "../result-schemas.ts";
import { fromChannel, fromGuild } from "../sources.ts";
import type { ChannelPlace, UserPlace } from "../targets.ts";
import { defineTool, type ReadContext } from "../tool.ts";
import { describeMessage, messageShape, seemsWithheld, withheldNote } from "./describe.ts";
import { forums, readableInServers } from "./kinds.ts";
import { moment, range } from "./search-range.ts";
import { collectMessages, type Search } from "./search-results.ts";

const { ReadMessageHistory } = PermissionFlagsBits;
const maxOffset = 225;
const cappedNote =
  "Not all of it could be looked through at once: narrow the search by text, author, channel or time.";

const input = Type.Object(
  {
    content: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        pattern: "\\S",
        description: "Words that the message contains. At most 1,024 characters.",
      }),
    ),
    channel_id: Type.Optional(
      channelArgument("Only in this channel and its threads. Default: wherever the person can read."),
    ),
    author_id: Type.Optional(userArgument("Only messages of this user.")),
    mentions: Type.Optional(userArgument("Only messages that mention this user.")),
    has: Type.Optional(
      Type.Array(Type.Enum([...searchedFor]), {
        minItems: 1,
        maxItems: searchedFor.length,
        uniqueItems: true,
        description: "Only messages with each of these in them; snapshot is a forwarded message.",
      }),
    ),
    after: Type.Optional(moment("Only messages after this.")),
    before: Type.Optional(moment("Only messages before this.")),
    sort: Type.Optional(
      Type.Enum(["newest", "oldest", "relevance"], {
        default: "newest",
        description: "What comes first. Default: newest.",
      }),
    ),
    limit: pageSize("messages", { most: 25, default: 10 }),
    offset: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: maxOffset,
        default: 0,
        description: `How many to pass over first, at most ${maxOffset}; for more, go on with before or after.`,
      }),
    ),
  },
  { additionalProperties: false },
);

export const messagesSearch = defineTool({
  name: "discord_messages_search",
  title: "Search messages",
  description:
    "Searches the messages of the Discord server, threads included, in all channels that the person can read or in one. Give at least one of content, author_id, mentions, has, after and before; for more results give next_before as before, next_after as after, or next_offset as offset. Only so much is looked through at once: narrow a search that finds less than expected.",
  family: "messages",
  kind: "read",
  repeatable: true,
  input,
  output: Type.Object({
    channel_id: Type.Optional(Type.String({ description: "Where was searched, if not everywhere." })),
    next_before: nextPage("before"),
    next_after: nextPage("after"),
    next_offset: nextOffset,
    note,
    messages: Type.Array(Type.Object({ channel_id: Type.String(), ...messageShape.properties })),
  }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: 0n },
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "none",
      types: [...readableInServers, ...forums],
      needs: ReadMessageHistory,
    },
    author: { kind: "user", argument: "author_id", absent: "none", needs: 0n },
    mentioned: { kind: "user", argument: "mentions", absent: "none", needs: 0n },
  },
  check({ content, author_id: author, mentions, has, after, before }) {
    if ([content, author, mentions, has, after, before].every((filter) => filter === undefined))
      throw new AppError(
        "invalid_arguments",
        "Give at least one of content, author_id, mentions, has, after and before.",
      );
    range(after, before);
  },
  async run(given, { guild, channel, author, mentioned }, context) {
    const { limit = 10, offset = 0 } = given;
    const channelIds = channel === null ? await readableChannels(context) : [channel.facts.id];
    const search = searchOf(given, channelIds, { channel, author, mentioned });
    const { found, isCapped } = await collectMessages(guild.facts.id, search, offset + limit + 1, context);
    const page = found.slice(offset, offset + limit);
    const notes = [...(page.some(seemsWithheld) ? [withheldNote] : []), ...(isCapped ? [cappedNote] : [])];
    const value = {
      ...(channel === null ? {} : { channel_id: channel.facts.id }),
      ...(found.length > offset + limit ? next(given, page.at(-1)?.id, offset + page.length) : {}),
      ...(notes.length === 0 ? {} : { note: notes.join(" ") }),
      messages: page.map((message) => ({ channel_id: message.channel_id, ...describeMessage(message) })),
    };
    // What is on other pages shows in that there are some.
    const places = [...(channel === null ? [] : [channel.facts.id]), ...found.map((one) => one.channel_id)];
    return { value, sources: [fromGuild(guild.facts.id), ...[...new Set(places)].map(fromChannel)] };
  },
});

type Given = Static<typeof input>;
interface Named {
  readonly channel: ChannelPlace | null;
  readonly author: UserPlace | null;
  readonly mentioned: UserPlace | null;
}

function searchOf(
  { content, has, after, before, sort = "newest" }: Given,
  channelIds: readonly string[],
  { channel, author, mentioned }: Named,
): Search {
  return {
    channelIds,
    sort,
    ...range(after, before),
    ...(content === undefined ? {} : { content }),
    ...(has === undefined ? {} : { has }),
    ...(author === null ? {} : { authorId: author.user.id }),
    ...(mentioned === null ? {} : { mentions: mentioned.user.id }),
    ...(channel?.facts.isAgeRestricted || channel?.parent?.isAgeRestricted ? { isAgeRestricted: true } : {}),
  };
}

/** By time one goes on from the last message, however many there are; only so many can be passed over. */
function next({ sort = "newest" }: Given, lastId: string | undefined, offset: number) {
  if (lastId === undefined) return {};
  const passed = offset > maxOffset ? {} : { next_offset: offset };
  switch (sort) {
    case "newest":
      return { next_before: lastId, ...passed };
    case "oldest":
      return { next_after: lastId, ...passed };
    case "relevance":
      return passed;
    default:
      return sort satisfies never;
  }
}

/** Those whose history both the person and the bot can read. */
async function readableChannels({ authority }: ReadContext): Promise<readonly string[]> {
  const types: readonly number[] = [...readableInServers, ...forums];
  const seen = (await authority.visibleChannels()).filter(({ type }) => types.includes(type));
  const standings = await Promise.all(seen.map((channel) => authority.inChannel(channel)));
  return seen
    .filter((_, index) => {
      const standing = standings[index];
      return standing != null && (standing.actor.bits & standing.bot.bits & ReadMessageHistory) !== 0n;
    })
    .map(({ id }) => id);
}
