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
