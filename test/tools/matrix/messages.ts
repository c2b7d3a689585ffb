import type { MessageSeed } from "../../../src/simulator/discord/seed.ts";
import { snowflakeAt } from "../../../src/simulator/discord/snowflake.ts";
import {
  type ActorName,
  actors,
  botId,
  channels,
  deleted,
  elsewhere,
  type MessageTarget,
  noHistory,
  silent,
  unseen,
  userOf,
  users,
} from "./scene.ts";

/** By whom, or by the bot for whom. */
type Which = "first" | "second" | "deleted" | `by ${string}` | `for ${string}`;

/** An hour old: younger than what is deleted one by one, older than slow mode. */
const writtenAt = Date.now() - 60 * 60_000;
const ids = new Map<string, string>();

/** The message's id, which there is whether the channel exists or not. */
export function messageIn(channelId: string, which: Which): string {
  const key = `${channelId} ${which}`;
  const id = ids.get(key) ?? snowflakeAt(writtenAt, ids.size);
  ids.set(key, id);
  return id;
}

/** What the bot has posted in that channel for that actor. */
export const postedFor = (channelId: string, actor: ActorName): string =>
  messageIn(channelId, `for ${userOf[actor]}`);

/** In #general. */
export function messageFor(target: MessageTarget, actor: ActorName): string {
  const { general, talk } = channels;
  const other: ActorName = actor === "moderator" ? "administrator" : "moderator";
  switch (target) {
    case "own":
      return messageIn(general, `by ${userOf[actor]}`);
    case "somebodys":
      return messageIn(general, "first");
    case "bots_for_them":
      return postedFor(general, actor);
    case "bots_for_another":
      return postedFor(general, other);
    case "elsewhere":
      return messageIn(talk, "first");
    case "deleted":
      return messageIn(general, "deleted");
    case "missing":
      return messageIn(general, "by nobody");
    default:
      return target satisfies never;
  }
}

const { talk, general, staff, generalThread, staffThread, privateThread, ideasPost, plansPost } = channels;
const within = [talk, general, staff, generalThread, staffThread, privateThread, ideasPost, plansPost];
const alike = [silent, noHistory, unseen, deleted];
const people = [...new Set(actors.map((actor) => userOf[actor]))];

const said = (channelId: string, authorId: string, which: Which): MessageSeed => ({
  id: messageIn(channelId, which),
  channelId,
  authorId,
  content: `Said in ${channelId}.`,
  file: "tides.txt",
  minutesAgo: 0,
});

const ofChannel = (channelId: string): readonly MessageSeed[] => [
  said(channelId, users.newcomer, "first"),
  said(channelId, users.newcomer, "second"),
  ...people.map((userId) => said(channelId, botId, `for ${userId}`)),
];

export const messagesWithin: readonly MessageSeed[] = [
  ...[...within, ...alike.flatMap(({ text, thread, post }) => [text, thread, post])].flatMap(ofChannel),
  ...people.map((userId) => said(general, userId, `by ${userId}`)),
  said(general, users.newcomer, "deleted"),
];
export const messagesElsewhere: readonly MessageSeed[] = [
  elsewhere.text,
  elsewhere.thread,
  elsewhere.post,
].flatMap((channelId) => ofChannel(channelId));

/** For whom the bot has posted them, by message. */
export const postedForWhom: ReadonlyMap<string, string> = new Map(
  [...within, ...[...alike, elsewhere].flatMap((some) => Object.values(some))].flatMap((channelId) =>
    people
      .filter((userId) => userId !== botId)
      .map((userId) => [messageIn(channelId, `for ${userId}`), userId] as const),
  ),
);

/** Those that the bot has reacted to with 👍. */
export const reactedTo: readonly string[] = [
  ...within,
  ...[silent, noHistory, unseen, elsewhere].flatMap(({ text, thread, post }) => [text, thread, post]),
].map((channelId) => messageIn(channelId, "first"));
