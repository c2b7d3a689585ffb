import { ChannelType } from "discord-api-types/v10";

/** Channels that hold messages themselves. */
export const readable: readonly ChannelType[] = [
  ChannelType.GuildText,
  ChannelType.GuildAnnouncement,
  ChannelType.GuildVoice,
  ChannelType.GuildStageVoice,
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
  ChannelType.AnnouncementThread,
  ChannelType.DM,
];

/** Those of them in servers. */
export const readableInServers: readonly ChannelType[] = readable.filter((type) => type !== ChannelType.DM);

/** What holds threads alone. */
export const forums: readonly ChannelType[] = [ChannelType.GuildForum, ChannelType.GuildMedia];
