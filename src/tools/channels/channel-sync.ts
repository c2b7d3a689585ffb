import { ChannelType, OverwriteType, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { channelArgument, channelOrOwn, reasonArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { quoted } from "../authority.ts";
import { fromChannel } from "../sources.ts";
import type { ChannelPlace } from "../targets.ts";
import { defineTool } from "../tool.ts";
import { guildTypes } from "./kinds.ts";
import { assertMayTouch, overwriteOf, touchedBits } from "./overwrites.ts";

const { ManageChannels, ManageRoles } = PermissionFlagsBits;

export const channelSync = defineTool({
  name: "discord_channel_sync",
  title: "Sync a channel's permissions",
  description:
    "Gives a channel the permissions of the category that it is in, in place of all that it says of its own.",
  family: "channels",
  kind: "destroy",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: channelOrOwn("Which channel."),
      category_id: channelArgument("The category that it is in."),
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    channel_id: Type.String(),
    category_id: Type.String(),
    overwrites: Type.Integer({ description: "For how many roles and members it says something now." }),
  }),
  targets: {
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "own",
      types: guildTypes.filter((type) => type !== ChannelType.GuildCategory),
      needs: ManageChannels | ManageRoles,
    },
    category: {
      kind: "channel",
      argument: "category_id",
      absent: "error",
      types: [ChannelType.GuildCategory],
      needs: 0n,
    },
  },
  async check(_input, { channel, category }, authority) {
    if (channel.facts.parentId !== category.facts.id)
      throw new AppError(
        "invalid_arguments",
        `${channel.actor.place} is not in the category ${quoted(category.facts.name)}; move it there first.`,
        { data: { path: "category_id", problem: "is not the channel's category" } },
      );
    const ids = new Set([channel, category].flatMap(({ facts }) => facts.overwrites.map(({ id }) => id)));
    const touched = [...ids].map((id) => touchedBits(overwriteOf(channel, id), overwriteOf(category, id)));
    await assertMayTouch(
      channel,
      touched.reduce((all, bits) => all | bits, 0n),
      authority,
    );
  },
  question: (_input, { channel, category }) =>
    `Give ${channel.actor.place} the permissions of the category ${quoted(category.facts.name)}, in place of its own (${counted(channel)} now, ${counted(category)} then)?`,
  audience: (_input, { channel }) => inChannel(channel),
  async run({ reason }, { channel, category }, context) {
    const overwrites = category.facts.overwrites.map(({ id, type, allow, deny }) => ({
      id,
      type: type === "role" ? OverwriteType.Role : OverwriteType.Member,
      allow: String(allow),
      deny: String(deny),
    }));
    await context.change.editChannel(
      channel.facts.id,
      { permission_overwrites: overwrites },
      { signal: context.signal, reason: context.reason(reason) },
    );
    const value = {
      channel_id: channel.facts.id,
      category_id: category.facts.id,
      overwrites: overwrites.length,
    };
    return { value, sources: [channel, category].map(({ facts }) => fromChannel(facts.id)) };
  },
});

function counted({ facts: { overwrites } }: ChannelPlace): string {
  return overwrites.length === 1 ? "1 role or member" : `${overwrites.length} roles and members`;
}
