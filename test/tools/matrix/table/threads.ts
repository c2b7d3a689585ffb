import type { AnyChannel } from "../../../../src/simulator/discord/world.ts";
import { type Entry, inServer, onChannel, onMember, onMessage } from "../axis.ts";
import { both, idOf, type Needs, nothing, type Permission, type Scene } from "../expectation.ts";
import { botId, type ChannelKind, channels } from "../scene.ts";
import { makerOf } from "./words.ts";

const page = "https://docs.discord.com/developers/resources/channel";
const topic = "https://docs.discord.com/developers/topics/threads";
const threads: readonly ChannelKind[] = ["thread", "post"];
const there = { of: "thread", for: threads, isOptional: true } as const;

/** Who has started it, and moderators. */
function archiving(channel: AnyChannel, scene: Scene): Needs {
  const of = (userId: string): readonly Permission[] =>
    makerOf(channel) === userId ? ["SendMessagesInThreads"] : ["ManageThreads"];
  return { actor: of(idOf(scene)), bot: of(botId) };
}

/** A thread begins with something said in it, and a public one that is on no message shows in the channel. */
const starting: Needs = {
  actor: ["CreatePublicThreads", "SendMessagesInThreads", "SendMessages"],
  bot: ["CreatePublicThreads"],
};
const startingPrivate: Needs = {
  actor: ["CreatePrivateThreads", "SendMessagesInThreads"],
  bot: ["CreatePrivateThreads"],
};
const startingOnMessage: Needs = {
  actor: ["CreatePublicThreads", "SendMessagesInThreads", "ReadMessageHistory"],
  bot: ["CreatePublicThreads", "ReadMessageHistory"],
};

const aThread = { channel_id: channels.generalThread };

export const threadTools: Readonly<Record<string, Entry>> = {
  discord_threads_list: {
    source: `${page}#list-public-archived-threads`,
    axes: [
      inServer({}),
      onChannel({ of: "text", for: ["text", "forum"], needs: nothing }),
      onChannel({
        variant: "archived",
        of: "text",
        for: ["text", "forum"],
        input: () => ({ state: "archived" }),
        needs: both("ReadMessageHistory"),
      }),
    ],
  },
  discord_thread_create: {
    source: `${page}#start-thread-without-message`,
    axes: [
      onChannel({
        of: "text",
        for: ["text"],
        isOptional: true,
        input: () => ({ name: "new" }),
        needs: starting,
      }),
      onChannel({
        variant: "private",
        of: "text",
        for: ["text"],
        isOptional: true,
        input: () => ({ name: "new", private: true }),
        needs: startingPrivate,
      }),
      onMessage({ input: { name: "new" }, needs: () => startingOnMessage }),
    ],
  },
  discord_thread_archive: {
    source: `${topic}#editing-&-deleting-threads`,
    axes: [onChannel({ ...there, needs: archiving })],
  },
  discord_thread_unarchive: {
    source: `${page}#modify-channel-json-params-thread`,
    axes: [onChannel({ ...there, needs: both("SendMessagesInThreads") })],
  },
  discord_thread_lock: {
    source: `${topic}#editing-&-deleting-threads`,
    axes: [onChannel({ ...there, needs: both("ManageThreads") })],
  },
  discord_thread_unlock: {
    source: `${topic}#editing-&-deleting-threads`,
    axes: [onChannel({ ...there, needs: both("ManageThreads") })],
  },
  discord_thread_member_add: {
    source: `${page}#add-thread-member`,
    axes: [
      onChannel({
        ...there,
        input: () => ({ user_id: botId }),
        needs: both("SendMessagesInThreads"),
      }),
      onMember({ input: aThread, inChannel: both("SendMessagesInThreads"), left: "not_found" }),
    ],
  },
  discord_thread_member_remove: {
    source: `${page}#remove-thread-member`,
    axes: [
      onChannel({ ...there, input: () => ({ user_id: botId }), needs: both("ManageThreads") }),
      onMember({ input: aThread, inChannel: both("ManageThreads"), left: "fine" }),
    ],
  },
  discord_forum_posts_list: {
    source: `${topic}#enumerating-threads`,
    axes: [onChannel({ of: "forum", for: ["forum"], needs: both("ReadMessageHistory") })],
  },
  discord_forum_post_read: {
    source: "https://docs.discord.com/developers/resources/message#get-channel-messages",
    axes: [onChannel({ of: "post", for: ["post"], isOptional: true, needs: both("ReadMessageHistory") })],
  },
  discord_forum_post_create: {
    source: `${page}#start-thread-in-forum-or-media-channel`,
    axes: [
      onChannel({
        of: "forum",
        for: ["forum"],
        input: () => ({ title: "new", content: "Ahoy" }),
        needs: both("SendMessages"),
      }),
    ],
  },
};
