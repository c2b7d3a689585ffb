import { type APIMessage, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../errors.ts";
import type { MessageSearch } from "./discord-port.ts";
import { describeMessage, seemsWithheld, withheldNote } from "./messages.ts";
import { firstIdAt, snowflake, time } from "./schemas.ts";
import { defineTool, type ToolContext } from "./tool.ts";

const { ViewChannel, ReadMessageHistory } = PermissionFlagsBits;
/** Discord's own page. https://docs.discord.com/developers/resources/message#search-guild-messages */
const pageSize = 25;
const maxPages = 10;
const cappedNote = "There may be more: narrow the search by text, author or time.";

export const messagesSearch = defineTool({
  name: "discord_messages_search",
  title: "Search messages",
  description:
    "Searches the messages of the Discord channel of this conversation by text, author and time, newest first. Give at least one of content, author_id, after and before.",
  input: Type.Object(
    {
      content: Type.Optional(
        Type.String({ minLength: 1, maxLength: 1024, description: "Words that the message contains." }),
      ),
      author_id: Type.Optional(snowflake("Only messages of this user.")),
      after: Type.Optional(time("Only messages from this time on, such as 2026-05-01T18:30:00Z.")),
      before: Type.Optional(time("Only messages before this time.")),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 25, default: 10, description: "How many messages." }),
      ),
      offset: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 200, default: 0, description: "How many to pass over first." }),
      ),
    },
    { additionalProperties: false },
  ),
  kind: "read",
  repeatable: true,
  place: "guild",
  needs({ content, author_id: authorId, after, before }, { channelId }) {
    if ([content, authorId, after, before].every((filter) => filter === undefined))
      throw new AppError("invalid_arguments", "Give at least one of content, author_id, after and before.");
    idRange(after, before);
    return [{ target: { kind: "channel", channelId }, permissions: ViewChannel | ReadMessageHistory }];
  },
  async run({ content, author_id: authorId, after, before, limit = 10, offset = 0 }, context) {
    const { channelId, guildId } = context.actor;
    if (guildId === null)
      throw new AppError("not_found", "This is a direct message: there is no server here.");
    const search = {
      channelIds: [channelId],
      ...(content === undefined ? {} : { content }),
      ...(authorId === undefined ? {} : { authorId }),
      ...idRange(after, before),
    };
    const { found, isCapped } = await collect(guildId, search, offset + limit + 1, context);
    const page = found.slice(offset, offset + limit);
    const notes = [...(page.some(seemsWithheld) ? [withheldNote] : []), ...(isCapped ? [cappedNote] : [])];
    const value = {
      channel_id: channelId,
      ...(found.length > offset + limit ? { next_offset: offset + page.length } : {}),
      ...(notes.length === 0 ? {} : { note: notes.join(" ") }),
      messages: page.map(describeMessage),
    };
    return { value, sources: [`channel:${channelId}`] };
  },
});

/**
 * The first so many messages of this channel itself. Discord's search also finds what stands in the channel's
 * threads, private ones included if the bot is in them: neither those messages nor their number may show, so
 * pages are read and counted by what is left.
 */
async function collect(
  guildId: string,
  search: Omit<MessageSearch, "limit" | "offset">,
  wanted: number,
  { discord, signal }: ToolContext,
): Promise<{ readonly found: readonly APIMessage[]; readonly isCapped: boolean }> {
  const found: APIMessage[] = [];
  for (let page = 0; page < maxPages; page++) {
    const offset = page * pageSize;
    const { messages } = await discord.searchMessages(
      guildId,
      { ...search, limit: pageSize, offset },
      signal,
    );
    found.push(...messages.filter((message) => search.channelIds.includes(message.channel_id)));
    if (messages.length < pageSize || found.length >= wanted) return { found, isCapped: false };
  }
  return { found, isCapped: true };
}

/** Discord searches between ids, neither end included; ids hold their time. Throws AppError `invalid_arguments`. */
function idRange(after: string | undefined, before: string | undefined) {
  const first = after === undefined ? null : firstIdAt("after", after);
  const last = before === undefined ? null : firstIdAt("before", before);
  if (first !== null && last !== null && first >= last) {
    throw new AppError("invalid_arguments", "after must be earlier than before.", {
      data: { path: "after", problem: "is not earlier than before" },
    });
  }
  return {
    ...(first === null || first === 0n ? {} : { minId: String(first - 1n) }),
    ...(last === null ? {} : { maxId: String(last) }),
  };
}
