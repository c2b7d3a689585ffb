import { type APIThreadChannel, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { isSnowflake } from "../../snowflake.ts";
import { channelArgument, pageSize } from "../argument-schemas.ts";
import { forums } from "../messages/kinds.ts";
import { pageTime } from "../messages/times.ts";
import { nextPage, note } from "../result-schemas.ts";
import type { ChannelPlace, Requirement } from "../targets.ts";
import { defineTool, type ReadContext } from "../tool.ts";
import { activityOf, archivedAt, describeThread, threadShape } from "./describe.ts";
import { threadParents } from "./kinds.ts";
import { seenThreads, threadSources } from "./seen.ts";

const { ManageThreads, ReadMessageHistory } = PermissionFlagsBits;
const states = ["active", "archived", "private_archived"] as const;
/** Pages of a hundred archived private threads that are looked through for one answer. */
const maxPages = 2;
const noPrivateNote = "The bot lacks Manage Threads there, so archived private threads cannot be listed.";

const toList: Requirement<ChannelPlace> = {
  words: "Read Message History for archived threads",
  bits: (_place, _userId, { state }) => (state === undefined || state === "active" ? 0n : ReadMessageHistory),
};

export const threadsList = defineTool({
  name: "discord_threads_list",
  title: "List threads",
  description:
    "Lists threads of the Discord server or of one channel, those with the latest activity first: active ones, or a channel's archived ones. Not all private threads are looked through for those that the person is in: name a channel, or ask about a thread by its id.",
  family: "threads",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: Type.Optional(
        channelArgument("Only threads of this channel; needed for archived ones. Default: of the server."),
      ),
      state: Type.Optional(
        Type.Enum([...states], { default: "active", description: "Which threads. Default: active." }),
      ),
      limit: pageSize("threads", { most: 50, default: 20 }),
      before: Type.Optional(
        Type.String({ minLength: 1, maxLength: 40, description: "next_before of the page before." }),
      ),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    channel_id: Type.Optional(Type.String()),
    next_before: nextPage("before"),
    note,
    threads: Type.Array(threadShape),
  }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: 0n },
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "none",
      types: [...threadParents, ...forums],
      needs: toList,
    },
  },
  check({ state = "active", before }, { channel }) {
    if (state !== "active" && channel === null)
      throw new AppError("invalid_arguments", "Archived threads are listed by channel; give channel_id.", {
        data: { path: "channel_id", problem: "is missing" },
      });
    if (before === undefined) return;
    if (state !== "active") pageTime("before", before);
    else if (!isSnowflake(before))
      throw new AppError("invalid_arguments", "before must be the next_before of an earlier page.", {
        data: { path: "before", problem: "must be the next_before of an earlier page" },
      });
  },
  async run({ state = "active", limit = 20, before }, { guild, channel }, context) {
    const page = { limit, before };
    const { threads, more, note } =
      state === "active" || channel === null
        ? await active(guild.facts.id, channel, page, context)
        : await archived(guild.facts.id, channel, state, page, context);
    const value = {
      ...(channel === null ? {} : { channel_id: channel.facts.id }),
      ...(more === undefined ? {} : { next_before: more }),
      ...(note === undefined ? {} : { note }),
      threads: threads.map(describeThread),
    };
    return { value, sources: await threadSources(threads, context) };
  },
});

interface Page {
  readonly limit: number;
  readonly before: string | undefined;
}

interface Listed {
  readonly threads: readonly APIThreadChannel[];
  readonly more?: string | undefined;
  readonly note?: string;
}

async function active(
  guildId: string,
  channel: ChannelPlace | null,
  { limit, before }: Page,
  context: ReadContext,
): Promise<Listed> {
  const all = await context.discord.activeThreads(guildId, context.signal);
  const sorted = all
    .filter((thread) => channel === null || thread.parent_id === channel.facts.id)
    .filter((thread) => before === undefined || BigInt(activityOf(thread)) < BigInt(before))
    .toSorted((a, b) => (BigInt(activityOf(a)) > BigInt(activityOf(b)) ? -1 : 1));
  const threads = await seenThreads(sorted, guildId, limit + 1, context);
  const shown = threads.slice(0, limit);
  const last = shown.at(-1);
  return {
    threads: shown,
    ...(threads.length > limit && last !== undefined ? { more: activityOf(last) } : {}),
  };
}

async function archived(
  guildId: string,
  { facts, bot }: ChannelPlace,
  state: "archived" | "private_archived",
  page: Page,
  context: ReadContext,
): Promise<Listed> {
  const kind = state === "archived" ? "public" : "private";
  // https://docs.discord.com/developers/resources/channel#list-private-archived-threads
  if (kind === "private" && (bot.bits & ManageThreads) === 0n) return { threads: [], note: noPrivateNote };
  const seen: APIThreadChannel[] = [];
  let from = page.before === undefined ? undefined : pageTime("before", page.before);
  for (let at = 0; at < maxPages; at++) {
    const asked = { limit: kind === "public" ? page.limit + 1 : 100, ...(from ? { before: from } : {}) };
    const { threads, hasMore } = await context.discord.archivedThreads(facts.id, kind, asked, context.signal);
    const wanted = page.limit + 1 - seen.length;
    seen.push(...(await seenThreads(threads, guildId, wanted, context)));
    from = archivedAt(threads.at(-1));
    if (seen.length > page.limit || !hasMore || from === undefined) break;
  }
  return shownOf(seen, page);
}

function shownOf(seen: readonly APIThreadChannel[], { limit }: Page): Listed {
  const threads = seen.slice(0, limit);
  const more = seen.length > limit ? archivedAt(threads.at(-1)) : undefined;
  return { threads, more };
}
