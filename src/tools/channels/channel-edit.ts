import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { channelOrOwn, reasonArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { channelShape, describeChannel } from "./describe.ts";
import { guildTypes } from "./kinds.ts";
import {
  assertFits,
  channelName,
  channelSettings,
  namesOf,
  settingsBody,
  settingsInWords,
} from "./settings.ts";

export const channelEdit = defineTool({
  name: "discord_channel_edit",
  title: "Change a channel",
  description:
    "Changes a channel's name, topic, slow mode, age restriction or limits; what is left out stays. Threads have tools of their own, and so have permissions.",
  family: "channels",
  kind: "write",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: channelOrOwn("Which channel."),
      name: Type.Optional(channelName("What it is called from now on.")),
      ...channelSettings,
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: channelShape,
  targets: {
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "own",
      types: guildTypes,
      needs: PermissionFlagsBits.ManageChannels,
    },
  },
  check({ name, ...given }, { channel }) {
    if (name === undefined && namesOf(given).length === 0)
      throw new AppError(
        "invalid_arguments",
        "Say what is to change: the name, the topic, or another setting.",
      );
    assertFits(channel.facts.type, given);
  },
  question: ({ reason: _, ...given }, { channel }) =>
    `Change ${channel.actor.place}: ${settingsInWords(given)}?`,
  audience: (_input, { channel }) => inChannel(channel),
  async run({ name, reason, ...given }, { channel }, context) {
    const body = { ...(name === undefined ? {} : { name }), ...settingsBody(given) };
    const change = { signal: context.signal, reason: context.reason(reason) };
    const edited = await context.change.editChannel(channel.facts.id, body, change);
    return { value: describeChannel(edited), sources: [fromChannel(channel.facts.id)] };
  },
});
