import { type APIMessage, ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { isThread } from "../permissions.ts";
import { compareIds, isSnowflake } from "../snowflake.ts";
import type { AnyChannel, SimulatedGuild } from "../world.ts";
import { botPermissions, reachGuild } from "./access.ts";
import { ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { invalidForm, unknownChannel } from "./errors.ts";
import { Form } from "./form.ts";
import { seen } from "./messages.ts";

export const searchRoutes: readonly Route[] = [
  { method: "GET", pattern: "/guilds/:guildId/messages/search", handle: search },
];

const needed = PermissionFlagsBits.ViewChannel | PermissionFlagsBits.ReadMessageHistory;

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
  // Relevance has no order that could be relied on: it is the newest first here.
  const sortBy = form.text("sort_by", { max: 20 }) ?? "timestamp";
  if (!["timestamp", "relevance"].includes(sortBy))
    form.fail("sort_by", "BASE_TYPE_CHOICES", "Value must be one of {'timestamp', 'relevance'}.");
  const withRestricted = form.flag("include_nsfw") ?? false;
  form.check();
  const has = request.query.getAll("has");
  const isOldestFirst = isAscending && sortBy === "timestamp";
  const authors = ids(request, "author_id");
  const mentioned = ids(request, "mentions");
  const found = channelsToSearch(request, guild)
    .filter((channel) => withRestricted || !isRestricted(guild, channel))
    .flatMap((channel) => request.world.messages.in(channel.id))
    .map((message) => seen(request, message))
    .filter((message) => minId === null || compareIds(message.id, minId) > 0)
    .filter((message) => maxId === null || compareIds(message.id, maxId) < 0)
    .filter((message) => authors === null || authors.includes(message.author.id))
    .filter((message) => mentioned === null || message.mentions.some((user) => mentioned.includes(user.id)))
    .filter((message) => hasWords(message, words))
    .filter((message) => has.every((thing) => hasThing(message, thing)))
    .sort((a, b) => (isOldestFirst ? compareIds(a.id, b.id) : compareIds(b.id, a.id)));
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

function isRestricted(guild: SimulatedGuild, channel: AnyChannel): boolean {
  const place = isThread(channel) ? guild.channels.get(channel.parent_id ?? "") : channel;
  return place !== undefined && "nsfw" in place && place.nsfw === true;
}

/** https://discord.com/developers/docs/resources/message#search-guild-messages-search-has-types */
const things: Readonly<Record<string, (message: APIMessage) => boolean>> = {
  image: (message) => hasFile(message, "image/"),
  sound: (message) => hasFile(message, "audio/"),
  video: (message) => hasFile(message, "video/"),
  file: (message) => message.attachments.length > 0,
  sticker: (message) => (message.sticker_items ?? []).length > 0,
  embed: (message) => message.embeds.length > 0,
  link: (message) => /https?:\/\//.test(message.content),
  poll: (message) => message.poll !== undefined,
  snapshot: (message) => (message.message_snapshots ?? []).length > 0,
};

function hasFile(message: APIMessage, type: string): boolean {
  return message.attachments.some((one) => one.content_type?.startsWith(type));
}

/** With a dash before it, what it must not have. */
function hasThing(message: APIMessage, thing: string): boolean {
  const test = things[thing.replace(/^-/, "")];
  if (test === undefined)
    throw invalidForm({ has: { _errors: [{ code: "BASE_TYPE_CHOICES", message: "No such thing." }] } });
  return test(message) !== thing.startsWith("-");
}

function channelsToSearch(request: RestRequest, guild: SimulatedGuild): AnyChannel[] {
  const all: AnyChannel[] = [...guild.channels.values(), ...guild.threads.values()];
  const named = ids(request, "channel_id");
  if (named?.some((id) => !all.some((channel) => channel.id === id))) throw unknownChannel();
  return all.filter((channel) => {
    if (channel.type === ChannelType.GuildCategory || (botPermissions(request, channel) & needed) !== needed)
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
