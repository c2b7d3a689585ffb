import type { Config } from "../../config.ts";
import type { Incoming } from "./incoming.ts";
import { type PersonalCommandName, personalCommandNames } from "./personal-commands.ts";
import { writePreamble } from "./preamble.ts";
import { describeAttachments, type Names, resolveMentions, withoutMention } from "./readable.ts";

const commandNames = ["reset", "tools", "stop"] as const;
export type CommandName = (typeof commandNames)[number];

/** Where a message was written. Ids are null in a direct message, and where they are not known. */
export interface Place {
  readonly guildName: string | null;
  readonly channelName: string | null;
  /** The channel that allow-lists go by: a thread counts as its parent. */
  readonly listedChannelId: string;
  readonly categoryId: string | null;
}

/** What deciding needs to know beyond the message. */
export interface ChatWorld {
  readonly botUserId: string;
  /** The role that Discord made for the bot in this server. */
  readonly botRoleId: string | null;
  readonly prefix: string;
  readonly allow: Config["discord"]["allow"];
  readonly place: Place;
  /** Whether the message replies to one of ours. */
  readonly repliesToUs: boolean;
  readonly names: Names;
  /** A mark for quotations that their text cannot know. */
  readonly mark: string;
}

export type Decision =
  | { readonly kind: "ignore"; readonly reason: "machine" | "not_addressed" | "not_allowed" }
  | { readonly kind: "command"; readonly command: CommandName }
  /** About what is stored of the person. */
  | { readonly kind: "personal"; readonly command: PersonalCommandName }
  | { readonly kind: "turn"; readonly text: string; readonly preamble: string }
  /** Nothing to ask the model; the person is told this instead. */
  | { readonly kind: "notice"; readonly text: string };

const noWords = "I am listening. Write what you would like to know in the same message as the mention.";
/** Twice what a person can write, since names take the place of mentions. */
const maxText = 8000;

/**
 * What a message asks of us. Answered are mentions (the bot, or its own role), direct messages and replies to our
 * messages; never machines, and never outside of the allow-lists.
 */
export function decide(message: Incoming, world: ChatWorld): Decision {
  if (message.isFromMachine || message.authorId === world.botUserId) return ignore("machine");
  const addressed = isAddressed(message, world);
  const command = readCommand(message.content, addressed, world);
  if (command === null && !addressed) return ignore("not_addressed");
  if (!isAllowed(message, world)) return ignore("not_allowed");
  if (command !== null) return command;
  const text = readText(message, world);
  if (text === "") return { kind: "notice", text: noWords };
  return { kind: "turn", text, preamble: writePreamble(message, world) };
}

const ignore = (reason: "machine" | "not_addressed" | "not_allowed"): Decision => ({
  kind: "ignore",
  reason,
});

/** Whether it could be for us, from the message alone: nearly all of a busy server's messages end here. */
export function mayConcernUs(message: Incoming, botUserId: string, prefix: string): boolean {
  if (message.isFromMachine) return false;
  return (
    message.guildId === null ||
    (message.replyTo !== null && (message.replied === null || message.replied.authorId === botUserId)) ||
    message.mentionedRoleIds.length > 0 ||
    message.mentions.some((user) => user.id === botUserId) ||
    message.content.startsWith(prefix)
  );
}

/** What the person asks, for the model; "" when there are no words and no files. Also for an edited message. */
export function readText(
  message: Incoming,
  world: Pick<ChatWorld, "botUserId" | "botRoleId" | "names">,
): string {
  const words = withoutMention(message.content, world.botUserId, world.botRoleId);
  const files = describeAttachments(message.attachments, message.stickerNames);
  const text = [resolveMentions(words, message.mentions, world.names), files].filter((part) => part !== "");
  if (text.length === 0 && message.replyTo !== null) {
    return "(No words of their own: they point you to the message that they reply to.)";
  }
  return text.join("\n").slice(0, maxText).toWellFormed();
}

function isAddressed(message: Incoming, world: ChatWorld): boolean {
  if (message.guildId === null || world.repliesToUs) return true;
  if (message.mentions.some((user) => user.id === world.botUserId)) return true;
  return world.botRoleId !== null && message.mentionedRoleIds.includes(world.botRoleId);
}

/** The whole message has to be the command, so that talk about "!stop signs" is none. */
function readCommand(
  content: string,
  addressed: boolean,
  world: ChatWorld,
): Extract<Decision, { readonly command: unknown }> | null {
  const said = (addressed ? withoutMention(content, world.botUserId, world.botRoleId) : content).trim();
  if (!said.startsWith(world.prefix)) return null;
  const words = said.slice(world.prefix.length).toLowerCase().replaceAll(/\s+/g, " ");
  const command = commandNames.find((name) => name === words);
  if (command !== undefined) return { kind: "command", command };
  const personal = personalCommandNames.find((name) => name === words);
  return personal === undefined ? null : { kind: "personal", command: personal };
}

/**
 * An empty list allows everyone. Channels and categories add up, and so do roles and people. A direct message has no
 * server: a list of roles cannot be checked there, so it closes direct messages to all but the people who are listed.
 */
export function isAllowed(message: Incoming, { allow, place }: Pick<ChatWorld, "allow" | "place">): boolean {
  const { guildIds, channelIds, categoryIds, roleIds, userIds } = allow;
  const listsPeople = roleIds.length + userIds.length > 0;
  const roles = message.memberRoleIds ?? [];
  const personAllowed =
    !listsPeople || userIds.includes(message.authorId) || roles.some((role) => roleIds.includes(role));
  if (!personAllowed) return false;
  if (message.guildId === null) return allow.directMessages;
  if (guildIds.length > 0 && !guildIds.includes(message.guildId)) return false;
  if (channelIds.length + categoryIds.length === 0) return true;
  return (
    channelIds.includes(message.channelId) ||
    channelIds.includes(place.listedChannelId) ||
    (place.categoryId !== null && categoryIds.includes(place.categoryId))
  );
}
