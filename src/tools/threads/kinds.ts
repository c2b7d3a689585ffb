import { ChannelType } from "discord-api-types/v10";

export const threads: readonly ChannelType[] = [
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
  ChannelType.AnnouncementThread,
];

/** In which threads are started by themselves or on a message. */
export const threadParents: readonly ChannelType[] = [ChannelType.GuildText, ChannelType.GuildAnnouncement];
