import type { Resource, ResourceTemplateType } from "@modelcontextprotocol/server";
import { type Actor, nowhere } from "../actor.ts";
import type { Scope } from "../auth/ports.ts";
import { messagesUri } from "./uris.ts";

export const json = "application/json";
/** Of a channel's messages and of the audit trail. */
export const lines = 50;

/** What people and models both have use for, and what is for people alone. */
const forAll = { audience: ["user", "assistant"] } satisfies Resource["annotations"];
const forPeople = { audience: ["user"] } satisfies Resource["annotations"];

export const templates: readonly ResourceTemplateType[] = [
  {
    uriTemplate: "discord://guilds/{guild_id}",
    name: "guild",
    title: "A server",
    description: "Numbers of a server: members, channels, roles, boosts.",
    mimeType: json,
    annotations: forAll,
  },
  {
    uriTemplate: "discord://guilds/{guild_id}/channels",
    name: "channels",
    title: "The channels of a server",
    description: "Those that you can see.",
    mimeType: json,
    annotations: forAll,
  },
  {
    uriTemplate: "discord://channels/{channel_id}/messages",
    name: "messages",
    title: "The messages of a channel",
    description: `The newest ${lines}. It can be subscribed to.`,
    mimeType: json,
    annotations: forAll,
  },
  {
    uriTemplate: "discord://users/{user_id}",
    name: "user",
    title: "A person",
    description: "Who a user is, and in a server their roles.",
    mimeType: json,
    annotations: forAll,
  },
  {
    uriTemplate: "discord://me/conversations/{conversation_id}",
    name: "past-conversation",
    title: "A conversation of yours with the agent",
    description: "What was said there, without what you may not read any more.",
    mimeType: json,
    annotations: forAll,
  },
];

/** The tools that give what is in a place. */
export const readBy = {
  guild: "discord_server_stats",
  channels: "discord_channels_list",
  messages: "discord_message_history",
} as const;

/** What is certainly there for a client with those scopes and tools; the rest is found by the templates. */
export function listed(
  { guildId, channelId }: Actor,
  { scopes, tools }: { readonly scopes: ReadonlySet<Scope>; readonly tools: ReadonlySet<string> },
): readonly Resource[] {
  return [
    ...(tools.has(readBy.guild) && guildId !== null ? [ofGuild(guildId)] : []),
    ...(tools.has(readBy.channels) && guildId !== null ? [channelsOf(guildId)] : []),
    ...(tools.has(readBy.messages) && channelId !== nowhere ? [ofChannel(channelId)] : []),
    ...(scopes.has("turns") ? conversations : []),
    ...(scopes.has("tools") ? [audit] : []),
  ];
}

const ofGuild = (guildId: string): Resource => ({
  uri: `discord://guilds/${guildId}`,
  name: "guild",
  title: "This server",
  description: "Numbers of this server: members, channels, roles, boosts.",
  mimeType: json,
  annotations: forAll,
});

const channelsOf = (guildId: string): Resource => ({
  uri: `discord://guilds/${guildId}/channels`,
  name: "channels",
  title: "The channels of this server",
  description: "Those that you can see.",
  mimeType: json,
  annotations: forAll,
});

const ofChannel = (channelId: string): Resource => ({
  uri: messagesUri(channelId),
  name: "messages",
  title: "The messages of this channel",
  description: `The newest ${lines}. It can be subscribed to.`,
  mimeType: json,
  annotations: forAll,
});

const conversations: readonly Resource[] = [
  {
    uri: "discord://me/conversation",
    name: "conversation",
    title: "Your conversation with the agent from here",
    description: "What was said with the tool ask from this client, and what the agent knows of your wishes.",
    mimeType: json,
    annotations: forAll,
  },
  {
    uri: "discord://me/conversations",
    name: "conversations",
    title: "Your conversations with the agent",
    description: "In Discord and through programs: where, when last, and by which address each is read.",
    mimeType: json,
    annotations: forAll,
  },
];

const audit: Resource = {
  uri: "discord://me/audit",
  name: "audit",
  title: "What was done on your behalf",
  description: `The last ${lines} tool calls, allowed or refused.`,
  mimeType: json,
  annotations: forPeople,
};
