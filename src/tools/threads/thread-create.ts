import {
  ChannelType,
  MessageFlags,
  PermissionFlagsBits,
  type RESTPostAPIChannelThreadsJSONBody,
} from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { AppError, toAppError } from "../../errors.ts";
import type { ChannelFacts } from "../../permissions/facts.ts";
import { channelArgument, messageArgument, reasonArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { named } from "../messages/whose.ts";
import { excerpt } from "../question.ts";
import { note } from "../result-schemas.ts";
import { fromChannel } from "../sources.ts";
import type { ChannelPlace, Requirement } from "../targets.ts";
import { type ChangeContext, defineTool } from "../tool.ts";
import { archiveArgument, threadName } from "./arguments.ts";
import { describeThread, threadShape } from "./describe.ts";
import { threadParents } from "./kinds.ts";

const { CreatePrivateThreads, CreatePublicThreads, ReadMessageHistory, SendMessages, SendMessagesInThreads } =
  PermissionFlagsBits;

const toStart: Requirement<ChannelPlace> = {
  words:
    "Create Public Threads, or Create Private Threads for a private one; on a message Read Message History",
  bits: (_place, _userId, given) =>
    (given.private === true ? CreatePrivateThreads : CreatePublicThreads) |
    (given.message_id === undefined ? 0n : ReadMessageHistory),
};

/** By hand a thread begins with a first message in it, and a public one shows in its channel. */
const toBegin: Requirement<ChannelPlace> = {
  words: "Send Messages in Threads; for a public one that is on no message also Send Messages",
  bits: (_place, _userId, given) => {
    const shows = given.private !== true && given.message_id === undefined;
    return SendMessagesInThreads | (shows ? SendMessages : 0n);
  },
};

const input = Type.Object(
  {
    channel_id: Type.Optional(channelArgument("Where. Default: the channel of this conversation.")),
    name: threadName("What it is called."),
    message_id: Type.Optional(messageArgument("The message that it is about, for a public thread.")),
    private: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Whether only those who are added can see it. Default: false.",
      }),
    ),
    invitable: Type.Optional(
      Type.Boolean({
        default: true,
        description: "Whether members of a private thread may add others. Default: true.",
      }),
    ),
    auto_archive_minutes: archiveArgument,
    reason: reasonArgument,
  },
  { additionalProperties: false },
);

export const threadCreate = defineTool({
  name: "discord_thread_create",
  title: "Start a thread",
  description:
    "Starts a thread in a Discord channel, by itself or on a message, public or private. For posts of forums use discord_forum_post_create.",
  family: "threads",
  kind: "write",
  repeatable: false,
  input,
  output: Type.Object({ ...threadShape.properties, note }),
  targets: {
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "own",
      types: threadParents,
      speaks: true,
      needs: toStart,
      actorNeeds: toBegin,
    },
    message: { kind: "message", argument: "message_id", in: "channel", absent: "none", needs: 0n },
  },
  check({ private: isPrivate = false, invitable }, { channel, message }) {
    const wrong = (path: string, problem: string) =>
      new AppError("invalid_arguments", `${path} ${problem}.`, { data: { path, problem } });
    if (isPrivate && message !== null) throw wrong("message_id", "is for public threads only");
    if (isPrivate && channel.facts.type !== ChannelType.GuildText)
      throw wrong("private", "cannot be true here: announcement channels have no private threads");
    if (!isPrivate && invitable !== undefined) throw wrong("invitable", "is for private threads only");
    // A thread has the id of the message that it is on.
    if (message !== null && ((message.message.flags ?? 0) & MessageFlags.HasThread) !== 0)
      throw wrong("message_id", `names a message that has a thread already, <#${message.message.id}>`);
  },
  question: ({ name, private: isPrivate }, { channel, message }) =>
    `Start a ${isPrivate ? "private" : "public"} thread ${excerpt(name)} ${
      message === null ? `in ${channel.actor.place}` : `on ${named(message)}`
    }?`,
  audience: (_input, { channel }) => inChannel(channel),
  async run(given, { channel, message }, context) {
    const { change, reason, signal } = context;
    const { facts } = channel;
    const { private: isPrivate = false } = given;
    const thread = await change.createThread(
      facts.id,
      bodyOf(given, facts, message !== null),
      message?.message.id ?? null,
      { signal, reason: reason(given.reason) },
    );
    // Of the message that it is on it has the id; that one is not theirs for it.
    await countForSlowMode(message === null ? thread.id : `thread ${thread.id}`, facts.id, context);
    const note = isPrivate ? await addActor(thread.id, context) : null;
    const value = { ...describeThread(thread), ...(note === null ? {} : { note }) };
    return { value, sources: [fromChannel(isPrivate ? thread.id : facts.id)] };
  },
});

function bodyOf(
  { name, private: isPrivate, invitable, auto_archive_minutes: minutes }: Static<typeof input>,
  { type }: ChannelFacts,
  isOnMessage: boolean,
): RESTPostAPIChannelThreadsJSONBody {
  const publicType =
    type === ChannelType.GuildAnnouncement ? ChannelType.AnnouncementThread : ChannelType.PublicThread;
  return {
    name,
    ...(minutes === undefined ? {} : { auto_archive_duration: minutes }),
    // On a message it is of the channel's own kind.
    ...(isOnMessage ? {} : { type: isPrivate ? ChannelType.PrivateThread : publicType }),
    ...(invitable === undefined ? {} : { invitable }),
  };
}

/** Threads count for it as messages do: https://docs.discord.com/developers/resources/channel#channel-object-channel-structure */
async function countForSlowMode(
  messageId: string,
  channelId: string,
  { actor, now, sent }: ChangeContext,
): Promise<void> {
  await sent.record({ messageId, channelId, userId: actor.userId, at: now() });
}

/** Whoever starts a private thread is in it. Null when they are; else what to tell. */
async function addActor(threadId: string, { actor, change, signal }: ChangeContext): Promise<string | null> {
  if (actor.kind === "bot") return null;
  try {
    await change.addThreadMember(threadId, actor.userId, { signal });
    return null;
  } catch (error) {
    // The thread is there whatever became of this.
    return `The person could not be added to it: ${toAppError(error).message}`;
  }
}
