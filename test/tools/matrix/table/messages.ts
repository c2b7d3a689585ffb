import type { AnyChannel } from "../../../../src/simulator/discord/world.ts";
import { type Entry, onChannel, onMember, onMessage } from "../axis.ts";
import {
  actorAlone,
  both,
  idOf,
  inTimeOut,
  lacksInChannel,
  type Needed,
  type Needs,
  notFound,
  type Permission,
  rule,
  type Scene,
} from "../expectation.ts";
import { messageIn, postedFor } from "../messages.ts";
import { botId, type ChannelKind, channels, type MessageTarget } from "../scene.ts";
import { writing } from "./words.ts";

const page = "https://docs.discord.com/developers/resources/message";
const readable: readonly ChannelKind[] = ["text", "thread", "post"];
const there = { of: "text", for: readable, isOptional: true } as const;
const first = (channelId: string) => ({ message_id: messageIn(channelId, "first") });
const reading = both("ReadMessageHistory");
const isBot = (scene: Scene): boolean => idOf(scene) === botId;

/** Their own is deleted without a permission; so is what the bot wrote, by the bot. */
function deleting(target: MessageTarget, scene: Scene): Needed {
  const isBots =
    target === "bots_for_them" || target === "bots_for_another" || (target === "own" && isBot(scene));
  const isTheirs = target === "own" || target === "bots_for_them" || (isBots && isBot(scene));
  const ofMessage: Needs = {
    actor: isTheirs ? [] : ["ManageMessages"],
    bot: isBots ? [] : ["ManageMessages"],
  };
  return [reading, ofMessage];
}

/** Only who wrote a message edits its words: of the bot's, whom it wrote it for. */
function notTheirs(target: MessageTarget, scene: Scene) {
  if (isBot(scene) ? target !== "somebodys" : target === "bots_for_them") return [];
  return [rule("not theirs", /Only messages that the bot posted|^Only the person for whom the bot posted/)];
}

/** The bot's reaction is somebody else's to the person. */
const unreacting = (scene: Scene): Needed =>
  isBot(scene) ? reading : [reading, actorAlone("ManageMessages")];
const reacting: Needed = [reading, both("AddReactions")];

/** Who may not write may not attach either. https://docs.discord.com/developers/topics/permissions#implicit-permissions */
const withoutSending = (channel: AnyChannel, scene: Scene) =>
  lacksInChannel(scene, channel, writing()(channel, scene)).map((reason) =>
    reason.kind === "lacks" ? { ...reason, permissions: [...reason.permissions, "Attach Files"] } : reason,
  );

const pinning: readonly Permission[] = ["ReadMessageHistory", "PinMessages"];

export const messageTools: Readonly<Record<string, Entry>> = {
  discord_message_history: {
    source: `${page}#get-channel-messages`,
    axes: [onChannel({ ...there, needs: reading })],
  },
  discord_message_get: {
    source: `${page}#get-channel-message`,
    axes: [onChannel({ ...there, input: first, needs: reading }), onMessage({ needs: () => reading })],
  },
  discord_pins_list: {
    source: `${page}#get-channel-pins`,
    axes: [onChannel({ ...there, needs: reading })],
  },
  discord_messages_search: {
    source: `${page}#search-guild-messages`,
    axes: [
      onChannel({
        of: "text",
        for: [...readable, "forum"],
        input: () => ({ content: "said" }),
        needs: reading,
      }),
      onMember({ argument: "author_id", left: "fine" }),
      onMember({ argument: "mentions", left: "fine" }),
    ],
  },
  discord_attachment_read: {
    source: `${page}#get-channel-message`,
    axes: [onChannel({ ...there, input: first, needs: reading }), onMessage({ needs: () => reading })],
  },
  discord_file_send: {
    source: `${page}#create-message`,
    axes: [
      onChannel({
        ...there,
        input: () => ({ urls: ["https://files.example/tide.txt"] }),
        needs: both("AttachFiles"),
        rules: withoutSending,
      }),
    ],
  },
  discord_message_send: {
    source: `${page}#create-message`,
    axes: [onChannel({ ...there, input: () => ({ content: "Ahoy" }), needs: writing() })],
  },
  discord_message_reply: {
    source: `${page}#create-message`,
    axes: [
      onChannel({
        ...there,
        input: (id) => ({ ...first(id), content: "Ahoy" }),
        needs: writing("ReadMessageHistory"),
      }),
      onMessage({ input: { content: "Ahoy" }, needs: () => both("SendMessages", "ReadMessageHistory") }),
    ],
  },
  discord_message_edit: {
    source: `${page}#edit-message`,
    axes: [
      onChannel({
        ...there,
        input: (id, actor) => ({ message_id: postedFor(id, actor), content: "Ahoy" }),
        needs: writing("ReadMessageHistory"),
      }),
      onMessage({
        input: { content: "Ahoy" },
        needs: () => both("SendMessages", "ReadMessageHistory"),
        rules: notTheirs,
      }),
    ],
  },
  discord_message_delete: {
    source: `${page}#delete-message`,
    axes: [
      onChannel({ ...there, input: first, needs: [reading, both("ManageMessages")] }),
      onChannel({
        variant: "what the bot posted for them",
        ...there,
        input: (id, actor) => ({ message_id: postedFor(id, actor) }),
        needs: reading,
        rules: (_channel, scene) => inTimeOut(scene),
      }),
      onMessage({ needs: deleting, rules: (_target, scene) => inTimeOut(scene) }),
    ],
  },
  discord_messages_delete: {
    source: `${page}#bulk-delete-messages`,
    axes: [
      onChannel({
        ...there,
        input: (id) => ({ message_ids: [messageIn(id, "first"), messageIn(id, "second")] }),
        needs: both("ReadMessageHistory", "ManageMessages"),
      }),
      onMessage({
        argument: "message_ids",
        with: messageIn(channels.general, "second"),
        needs: () => both("ReadMessageHistory", "ManageMessages"),
      }),
    ],
  },
  discord_message_pin: {
    source: `${page}#pin-message`,
    axes: [
      onChannel({ ...there, input: first, needs: both(...pinning) }),
      onMessage({ needs: () => both(...pinning) }),
    ],
  },
  discord_message_unpin: {
    source: `${page}#unpin-message`,
    axes: [
      onChannel({ ...there, input: first, needs: both(...pinning) }),
      onMessage({ needs: () => both(...pinning) }),
    ],
  },
  discord_reactions_list: {
    source: `${page}#get-reactions`,
    axes: [onChannel({ ...there, input: first, needs: reading }), onMessage({ needs: () => reading })],
  },
  discord_reaction_add: {
    source: `${page}#create-reaction`,
    axes: [
      onChannel({
        ...there,
        input: (id) => ({ ...first(id), emoji: "🎉" }),
        needs: reacting,
      }),
      onMessage({ input: { emoji: "🎉" }, needs: () => reacting }),
      onMessage({
        variant: "as somebody else already did",
        input: { emoji: "👍" },
        // Only the first message has one.
        needs: (target) => (target === "somebodys" ? reading : reacting),
        rules: (_target, scene) => inTimeOut(scene),
      }),
    ],
  },
  discord_reaction_remove: {
    source: `${page}#delete-user-reaction`,
    axes: [
      onChannel({
        ...there,
        input: (id) => ({ ...first(id), emoji: "👍" }),
        needs: (_channel, scene) => unreacting(scene),
      }),
      onMessage({
        input: { emoji: "👍" },
        needs: (_target, scene) => unreacting(scene),
        rules: (target) => (target === "somebodys" ? [] : [notFound]),
      }),
    ],
  },
};
