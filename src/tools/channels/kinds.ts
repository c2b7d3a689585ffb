import { ChannelType } from "discord-api-types/v10";

const kinds: Readonly<Record<number, string>> = {
  [ChannelType.GuildText]: "text",
  [ChannelType.DM]: "direct_message",
  [ChannelType.GuildVoice]: "voice",
  [ChannelType.GroupDM]: "group_direct_message",
  [ChannelType.GuildCategory]: "category",
  [ChannelType.GuildAnnouncement]: "announcement",
  [ChannelType.AnnouncementThread]: "announcement_thread",
  [ChannelType.PublicThread]: "thread",
  [ChannelType.PrivateThread]: "private_thread",
  [ChannelType.GuildStageVoice]: "stage",
  [ChannelType.GuildDirectory]: "directory",
  [ChannelType.GuildForum]: "forum",
  [ChannelType.GuildMedia]: "media",
};

/** What a channel is called by its type; Discord adds types from time to time. */
export const channelKind = (type: number): string => kinds[type] ?? `type_${type}`;

const types = {
  text: ChannelType.GuildText,
  announcement: ChannelType.GuildAnnouncement,
  voice: ChannelType.GuildVoice,
  stage: ChannelType.GuildStageVoice,
  forum: ChannelType.GuildForum,
  media: ChannelType.GuildMedia,
  category: ChannelType.GuildCategory,
} as const;

/** Channels of a server that are no threads, as they are called. */
export type GuildKind = keyof typeof types;
export const guildKinds = [
  "text",
  "announcement",
  "voice",
  "stage",
  "forum",
  "media",
  "category",
] as const satisfies readonly GuildKind[];
export const guildTypes: readonly ChannelType[] = Object.values(types);
export const threadTypes: readonly ChannelType[] = [
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
  ChannelType.AnnouncementThread,
];

export const typeOfKind = (kind: GuildKind) => types[kind];
