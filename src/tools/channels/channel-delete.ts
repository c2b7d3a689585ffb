import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { isThread } from "../../permissions/compute.ts";
import { channelArgument, reasonArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { plain, quoted } from "../authority.ts";
import { fromChannel } from "../sources.ts";
import type { ChannelPlace } from "../targets.ts";
import { defineTool } from "../tool.ts";
import { channelKind, guildTypes, threadTypes } from "./kinds.ts";

export const channelDelete = defineTool({
  name: "discord_channel_delete",
  title: "Delete a channel",
  description:
    "Deletes a channel, category or thread for good, with everything that was written in it. The channels of a category stay, without one.",
  family: "channels",
  kind: "destroy",
  repeatable: false,
  input: Type.Object(
    { channel_id: channelArgument("Which channel, category or thread."), reason: reasonArgument },
    { additionalProperties: false },
  ),
  output: Type.Object({
    channel_id: Type.String(),
    name: Type.String(),
    type: Type.String(),
    deleted: Type.Boolean(),
  }),
  targets: {
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "error",
      types: [...guildTypes, ...threadTypes],
      needs: {
        words: "Manage Channels (of threads: Manage Threads)",
        bits: ({ facts }) =>
          isThread(facts) ? PermissionFlagsBits.ManageThreads : PermissionFlagsBits.ManageChannels,
      },
    },
  },
  question: (_input, { channel }) => `Delete ${lost(channel)}? This cannot be undone.`,
  audience: (_input, { channel }) => inChannel(channel),
  async run({ reason }, { channel }, context) {
    const { id, name, type } = channel.facts;
    await context.change.deleteChannel(id, { signal: context.signal, reason: context.reason(reason) });
    // Nobody can read it any more; what is said of it is what those where it is asked for may hear.
    return {
      value: { channel_id: id, name, type: channelKind(type), deleted: true },
      sources: [fromChannel(id)],
    };
  },
});

function lost({ facts, actor: { place }, parent }: ChannelPlace): string {
  if (isThread(facts)) {
    const where = parent === null ? "" : ` of #${plain(parent.name)}`;
    return `the thread ${quoted(facts.name)}${where} with every message in it`;
  }
  switch (facts.type) {
    case ChannelType.GuildCategory:
      return `the category ${quoted(facts.name)} (its channels stay, without a category)`;
    case ChannelType.GuildForum:
    case ChannelType.GuildMedia:
      return `${place} with every post in it`;
    default:
      return `${place} with every message and thread in it`;
  }
}
