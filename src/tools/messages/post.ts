import {
  AllowedMentionsTypes,
  type APIMessage,
  ChannelType,
  MessageFlags,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import { Type } from "typebox";
import type { Actor } from "../../actor.ts";
import { isThread } from "../../permissions/compute.ts";
import type { MessageToPost } from "../discord-port.ts";
import type { ChannelPlace, Requirement } from "../targets.ts";
import { bitsToAdd } from "../threads/ruling.ts";
import type { ChangeContext } from "../tool.ts";

const { EmbedLinks, MentionEveryone, SendMessages, SendMessagesInThreads } = PermissionFlagsBits;

/** https://docs.discord.com/developers/resources/message#create-message */
const maxContent = 2000;

export const messageText = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: maxContent,
    pattern: "\\S",
    description: `${description} At most ${maxContent} characters.`,
  });

/** Threads have a permission of their own for it. */
export const sendingBits: Requirement<ChannelPlace> = {
  words: "Send Messages (in threads: Send Messages in Threads)",
  bits: ({ facts }) => (isThread(facts) ? SendMessagesInThreads : SendMessages),
};

/** The same, for replies: Discord lets only those reply who can read what they reply to. */
export const replyingBits: Requirement<ChannelPlace> = {
  words: "Read Message History and Send Messages (in threads: Send Messages in Threads)",
  bits: ({ facts }) =>
    PermissionFlagsBits.ReadMessageHistory | (isThread(facts) ? SendMessagesInThreads : SendMessages),
};

/**
 * Posts for the actor: nobody is pinged whom the actor could not ping themselves, a message that is sent twice by
 * accident is recognised by Discord, and it is written down for whom it was posted.
 */
export async function post(
  channel: ChannelPlace,
  body: MessageToPost,
  { actor, change, sent, signal, now, nonce }: ChangeContext,
  pingsAuthor = false,
): Promise<APIMessage> {
  const message = await change.createMessage(
    channel.facts.id,
    {
      ...body,
      ...embedsOf(channel),
      allowed_mentions: {
        ...mentionsOf(channel, actor),
        ...(pingsAuthor && maySummon(channel, actor) ? { replied_user: true } : {}),
      },
      nonce: nonce(),
      enforce_nonce: true,
    },
    { signal },
  );
  await sent.record({ messageId: message.id, channelId: channel.facts.id, userId: actor.userId, at: now() });
  return message;
}

/** Roles and everyone only where both may mention them; people as by hand. */
export function mentionsOf(place: ChannelPlace, who: Actor) {
  if (!maySummon(place, who)) return { parse: [] };
  const everyone = (place.actor.bits & place.bot.bits & MentionEveryone) !== 0n;
  const parse = [AllowedMentionsTypes.User];
  return { parse: everyone ? [...parse, AllowedMentionsTypes.Role, AllowedMentionsTypes.Everyone] : parse };
}

/**
 * Discord takes whom a message mentions into a private thread, also when it is edited, if who posts it may add them.
 * That is the bot, so the actor has to be one who may add them, too.
 * https://github.com/discord/discord-api-docs/issues/5295
 */
function maySummon({ facts, actor }: ChannelPlace, { userId }: Actor): boolean {
  if (facts.type !== ChannelType.PrivateThread) return true;
  return (bitsToAdd(facts, userId) & ~actor.bits) === 0n;
}

/** Links show what they lead to only where the actor's own would. */
export function embedsOf({ actor }: ChannelPlace, flags = 0) {
  return (actor.bits & EmbedLinks) === 0n ? { flags: flags | MessageFlags.SuppressEmbeds } : {};
}
