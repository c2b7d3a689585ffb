import type { APIMessage } from "discord-api-types/v10";
import { AppError, toAppError } from "../errors.ts";
import { isSnowflake } from "../snowflake.ts";
import { plain } from "./authority.ts";
import type { Finding } from "./find.ts";
import type { ChannelPlace, MessagePlace, MessagesPlace } from "./targets.ts";

/** Pages of a hundred in which named messages are looked for. */
const maxPages = 5;

export async function findMessage(
  said: string,
  channel: ChannelPlace,
  { discord, standings, postedFor, signal, onTarget }: Finding,
): Promise<MessagePlace> {
  const messageId = messageIdIn(said, channel);
  onTarget(`message:${messageId}`);
  try {
    const message = await discord.message(channel.facts.id, messageId, signal);
    const isOurs = message.author.id === (await standings.botUserId());
    return {
      kind: "message",
      channel,
      message,
      isOurs,
      postedFor: isOurs ? await postedFor(messageId) : null,
    };
  } catch (error) {
    if (toAppError(error).code !== "not_found") throw error;
    throw noMessage(messageId, channel);
  }
}

/** In the order of their ids, newest first. */
export async function findMessages(
  said: unknown,
  channel: ChannelPlace,
  { discord, signal, onTarget }: Finding,
): Promise<MessagesPlace> {
  const given = Array.isArray(said) ? said.map((one) => messageIdIn(String(one), channel)) : [];
  const wanted = new Set(given);
  onTarget(`messages:${wanted.size}`);
  const sorted = [...wanted].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  const found: APIMessage[] = [];
  let next = sorted[0];
  for (let page = 0; page < maxPages && next !== undefined && found.length < wanted.size; page++) {
    const after = String(BigInt(next) - 1n);
    const messages = await discord.messages(channel.facts.id, { after, limit: 100 }, signal);
    found.push(...messages.filter(({ id }) => wanted.has(id) && !found.some((one) => one.id === id)));
    const last = messages.reduce((newest, { id }) => (BigInt(id) > newest ? BigInt(id) : newest), 0n);
    if (messages.length < 100) break;
    next = sorted.find((id) => BigInt(id) > last);
  }
  const lost = sorted.find((id) => !found.some((one) => one.id === id));
  if (lost !== undefined) throw noMessage(lost, channel);
  return {
    kind: "messages",
    channel,
    messages: found.sort((a, b) => (BigInt(a.id) > BigInt(b.id) ? -1 : 1)),
  };
}

function messageIdIn(said: string, { facts }: ChannelPlace): string {
  const link = /^https:\/\/(?:\w+\.)?discord\.com\/channels\/(?:@me|\d+)\/(\d+)\/(\d+)$/.exec(said.trim());
  if (link !== null && link[1] !== facts.id)
    throw new AppError(
      "invalid_arguments",
      "That link is to a message of another channel; name that channel as well.",
    );
  const id = link?.[2] ?? said.trim();
  if (isSnowflake(id)) return id;
  throw new AppError(
    "invalid_arguments",
    `${plain(said)} is no message: give its id, 15 to 20 digits, or a link to it.`,
  );
}

const noMessage = (messageId: string, { actor }: ChannelPlace): AppError =>
  new AppError(
    "not_found",
    `There is no message with the id ${messageId} in ${actor.place}; it may have been deleted.`,
  );
