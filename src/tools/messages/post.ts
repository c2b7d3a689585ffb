import {
  AllowedMentionsTypes,
  type APIMessage,
  PermissionFlagsBits,
  type RESTPostAPIChannelMessageJSONBody,
} from "discord-api-types/v10";
import { Type } from "typebox";
import { isThread } from "../../permissions/compute.ts";
import type { ChannelPlace, Requirement } from "../targets.ts";
import type { ChangeContext } from "../tool.ts";

const { MentionEveryone, SendMessages, SendMessagesInThreads } = PermissionFlagsBits;

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

/**
 * Posts for the actor: nobody is pinged whom the actor could not ping themselves, a message that is sent twice by
 * accident is recognised by Discord, and it is written down for whom it was posted.
 */
export async function post(
  channel: ChannelPlace,
  body: RESTPostAPIChannelMessageJSONBody,
  { actor, change, sent, signal, now, nonce }: ChangeContext,
): Promise<APIMessage> {
  const message = await change.createMessage(
    channel.facts.id,
    { ...body, allowed_mentions: mentionsOf(channel), nonce: nonce(), enforce_nonce: true },
    { signal },
  );
  await sent.record({ messageId: message.id, channelId: channel.facts.id, userId: actor.userId, at: now() });
  return message;
}

/** Roles and everyone only where both may mention them; people always, as by hand. */
export function mentionsOf({ actor, bot }: ChannelPlace) {
  const everyone = (actor.bits & bot.bits & MentionEveryone) !== 0n;
  const parse = [AllowedMentionsTypes.User];
  return { parse: everyone ? [...parse, AllowedMentionsTypes.Role, AllowedMentionsTypes.Everyone] : parse };
}
