import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { userArgument } from "../argument-schemas.ts";
import { toUser } from "../audiences.ts";
import { denied } from "../authority.ts";
import { nobody } from "../find-people.ts";
import { whom } from "../members/describe.ts";
import { saying } from "../question.ts";
import { timestamp } from "../result-schemas.ts";
import { fromUser } from "../sources.ts";
import { defineTool } from "../tool.ts";

/** Discord's 2,000 less the line that says whose message it is. */
const maxContent = 1900;

export const userMessage = defineTool({
  name: "discord_user_message",
  title: "Write a direct message",
  description:
    "Sends a direct message as the bot: to the person who asks, or, where the operator allows it, to another member of the server, who is told on whose behalf.",
  family: "users",
  kind: "write",
  repeatable: false,
  input: Type.Object(
    {
      user_id: Type.Optional(userArgument("To whom. Default: the person who asks.")),
      content: Type.String({
        minLength: 1,
        maxLength: maxContent,
        pattern: "\\S",
        description: `What it says. At most ${maxContent} characters.`,
      }),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    message_id: Type.String(),
    user_id: Type.String(),
    sent_at: timestamp("When it was sent."),
  }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "none", needs: 0n },
    receiver: { kind: "user", argument: "user_id", absent: "self", needs: 0n },
  },
  check(_input, { receiver }, { actor }, { policy }) {
    const { user, member, name } = receiver;
    if (user.id !== actor.userId || actor.kind === "bot") {
      if (member === null) throw nobody(user.id);
      if (policy.directMessages !== "members")
        throw denied(
          `The bot writes direct messages to the person who asks alone, not to ${name}; the operator can allow more (direct_messages in GUILD_POLICIES).`,
        );
    }
    if (user.bot)
      throw new AppError("invalid_arguments", `${name} is a bot: bots take no direct messages from bots.`);
  },
  question: ({ content }, { receiver }) =>
    `Send ${whom(receiver.name, receiver.user.id)} the direct message ${saying(content)}?`,
  audience: (_input, { receiver }, { guildId }) => toUser(receiver.user.id, guildId),
  async run({ content }, { receiver }, { actor, change, sent, signal, nonce, now }) {
    const channel = await change.openDirectMessage(receiver.user.id, { signal });
    const isForAnother = receiver.user.id !== actor.userId;
    const whose = actor.kind === "bot" ? "the bot's operator" : `<@${actor.userId}>`;
    const message = await change.createMessage(
      channel.id,
      {
        // In front, where no line of the text can be taken for it.
        content: isForAnother ? `-# On behalf of ${whose}:\n${content}` : content,
        allowed_mentions: { parse: [] },
        nonce: nonce(),
        enforce_nonce: true,
      },
      { signal },
    );
    await sent.record({ messageId: message.id, channelId: channel.id, userId: actor.userId, at: now() });
    const value = {
      message_id: message.id,
      user_id: receiver.user.id,
      sent_at: message.timestamp,
    };
    return { value, sources: [fromUser(receiver.user.id)] };
  },
});
