import { type APIMessage, ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { isThread } from "../permissions.ts";
import { compareIds, isSnowflake } from "../snowflake.ts";
import type { AnyChannel, SimulatedGuild } from "../world.ts";
import { botPermissions, reachGuild } from "./access.ts";
import { ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { unknownChannel } from "./errors.ts";
import { Form } from "./form.ts";
import { seen } from "./messages.ts";

export const searchRoutes: readonly Route[] = [
  { method: "GET", pattern: "/guilds/:guildId/messages/search", handle: search },
];

const NEEDED = PermissionFlagsBits.ViewChannel | PermissionFlagsBits.ReadMessageHistory;

/**
 * https://discord.com/developers/docs/resources/message#search-guild-messages
 * Every word of `content` must be in the message, in any case. Newest first, unless `sort_order` says otherwise.
 */
function search(request: RestRequest): RestReply {
  const guild = reachGuild(request);
  const form = Form.ofQuery(request.query);
  const words = (form.text("content", { max: 1024 }) ?? "")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const minId = form.snowflake("min_id");
  const maxId = form.snowflake("max_id");
  const limit = form.integer("limit", { min: 1, max: 25 }) ?? 25;
  const offset = form.integer("offset", { min: 0, max: 9975 }) ?? 0;
  const isAscending = form.text("sort_order", { max: 4 }) === "asc";
  form.check();
  const authors = ids(request, "author_id");
  const mentioned = ids(request, "mentions");
  const found = channelsToSearch(request, guild)
    .flatMap((channel) => request.world.messages.in(channel.id))
    .map((message) => seen(request, message))
    .filter((message) => minId === null || compareIds(message.id, minId) > 0)
    .filter((message) => maxId === null || compareIds(message.id, maxId) < 0)
    .filter((message) => authors === null || authors.includes(message.author.id))
    .filter((message) => mentioned === null || message.mentions.some((user) => mentioned.includes(user.id)))
    .filter((message) => hasWords(message, words))
    .sort((a, b) => (isAscending ? compareIds(a.id, b.id) : compareIds(b.id, a.id)));
  const page = found.slice(offset, offset + limit);
  const inThreads = [...guild.threads.values()].filter((thread) =>
    page.some((message) => message.channel_id === thread.id),
  );
  return ok({
    messages: page.map((message) => [{ ...message, hit: true }]),
    doing_deep_historical_index: false,
    total_results: found.length,
    ...(inThreads.length === 0 ? {} : { threads: inThreads }),
  });
}

function channelsToSearch(request: RestRequest, guild: SimulatedGuild): AnyChannel[] {
  const all: AnyChannel[] = [...guild.channels.values(), ...guild.threads.values()];
  const named = ids(request, "channel_id");
  if (named?.some((id) => !all.some((channel) => channel.id === id))) throw unknownChannel();
  return all.filter((channel) => {
    if (channel.type === ChannelType.GuildCategory || (botPermissions(request, channel) & NEEDED) !== NEEDED)
      return false;
    return (
      named === null ||
      named.includes(channel.id) ||
      (isThread(channel) && named.includes(channel.parent_id ?? ""))
    );
  });
}

function ids(request: RestRequest, name: string): string[] | null {
  const given = request.query.getAll(name);
  if (given.length === 0) return null;
  const form = new Form({});
  for (const id of given) {
    if (!isSnowflake(id)) form.fail(name, "NUMBER_TYPE_COERCE", `Value "${id}" is not snowflake.`);
  }
  form.check();
  return given;
}

function hasWords(message: APIMessage, words: readonly string[]): boolean {
  const content = message.content.toLowerCase();
  return words.every((word) => content.includes(word));
}
