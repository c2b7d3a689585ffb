import {
  type APIMessage,
  type APIUser,
  GatewayDispatchEvents as Events,
  ReactionType,
} from "discord-api-types/v10";
import type { World } from "./world.ts";
import type { Publish } from "./world-events.ts";

export interface ReactionEmoji {
  readonly id: string | null;
  readonly name: string;
}

const reactors = new WeakMap<World, Map<string, Set<string>>>();

/** Reads Discord's form of an emoji in a path: a unicode emoji, or name:id. Null when it is neither. */
export function readEmoji(value: string): ReactionEmoji | null {
  const custom = /^(\w{2,32}):(\d+)$/.exec(value);
  if (custom !== null) return { name: custom[1] ?? "", id: custom[2] ?? "" };
  return /\p{Extended_Pictographic}|\p{Regional_Indicator}|⃣/u.test(value) ? { id: null, name: value } : null;
}

/** Users who reacted so, in the order in which they did. */
export function reactorsOf(world: World, messageId: string, emoji: ReactionEmoji): Set<string> {
  const all = reactors.get(world) ?? new Map<string, Set<string>>();
  reactors.set(world, all);
  const key = `${messageId}:${emoji.id ?? emoji.name}`;
  const users = all.get(key) ?? new Set<string>();
  all.set(key, users);
  return users;
}

export function addReaction(
  world: World,
  publish: Publish,
  message: APIMessage,
  user: APIUser,
  value: string,
): void {
  const emoji = readEmoji(value);
  if (emoji === null) throw new Error(`${value} is no emoji`);
  const users = reactorsOf(world, message.id, emoji);
  if (users.has(user.id)) return;
  users.add(user.id);
  recount(world, message.id, emoji);
  const guild = world.guildOfChannel(message.channel_id);
  const member = guild?.members.get(user.id);
  publish({
    dispatch: {
      t: Events.MessageReactionAdd,
      d: {
        ...place(world, message, user, emoji),
        message_author_id: message.author.id,
        ...(member === undefined ? {} : { member }),
      },
    },
    guildId: guild?.id ?? null,
    channelId: message.channel_id,
  });
}

export function removeReaction(
  world: World,
  publish: Publish,
  message: APIMessage,
  user: APIUser,
  emoji: ReactionEmoji,
): void {
  if (!reactorsOf(world, message.id, emoji).delete(user.id)) return;
  recount(world, message.id, emoji);
  publish({
    dispatch: { t: Events.MessageReactionRemove, d: place(world, message, user, emoji) },
    guildId: world.guildOfChannel(message.channel_id)?.id ?? null,
    channelId: message.channel_id,
  });
}

function place(world: World, message: APIMessage, user: APIUser, emoji: ReactionEmoji) {
  const guild = world.guildOfChannel(message.channel_id);
  return {
    user_id: user.id,
    channel_id: message.channel_id,
    message_id: message.id,
    emoji: { ...emoji },
    burst: false,
    type: ReactionType.Normal,
    ...(guild === null ? {} : { guild_id: guild.id }),
  };
}

function recount(world: World, messageId: string, emoji: ReactionEmoji): void {
  const message = world.messages.get(messageId);
  if (message === null) return;
  const users = reactorsOf(world, messageId, emoji);
  const others = (message.reactions ?? []).filter(
    (one) => one.emoji.id !== emoji.id || one.emoji.name !== emoji.name,
  );
  const own = {
    emoji: { ...emoji },
    count: users.size,
    count_details: { burst: 0, normal: users.size },
    burst_colors: [],
    me: users.has(world.botUser.id),
    me_burst: false,
  };
  const reactions = users.size === 0 ? others : [...others, own];
  const { reactions: _former, ...rest } = message;
  world.messages.replace(reactions.length === 0 ? rest : { ...rest, reactions });
}
