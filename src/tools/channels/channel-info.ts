import type { APIChannel } from "discord-api-types/v10";
import { Type } from "typebox";
import { channelOrOwn } from "../argument-schemas.ts";
import { nullable } from "../result-schemas.ts";
import { fromChannel } from "../sources.ts";
import { defineTool, type ReadContext } from "../tool.ts";
import { channelShape, describeChannel, inCategory } from "./describe.ts";

export const channelInfo = defineTool({
  name: "discord_channel_info",
  title: "Describe a channel",
  description:
    "Tells about a Discord channel, thread or direct message: name, type, topic, category, slow mode, when it was made.",
  family: "channels",
  kind: "read",
  repeatable: true,
  isCore: true,
  input: Type.Object({ channel_id: channelOrOwn("Which channel.") }, { additionalProperties: false }),
  output: Type.Object({
    ...channelShape.properties,
    ...inCategory,
    parent_channel_id: Type.Optional(Type.String({ description: "Of a thread: where it is." })),
    parent_name: Type.Optional(nullable(Type.String())),
  }),
  targets: { channel: { kind: "channel", argument: "channel_id", absent: "own", needs: 0n } },
  async run(_input, { channel: { facts } }, context) {
    const channel = await context.discord.channel(facts.id, context.signal);
    const parent = await parentOf(channel, context);
    const value = { ...describeChannel(channel), ...parent?.value };
    const sources = [facts.id, ...(parent === null ? [] : [parent.id])].map(fromChannel);
    return { value, sources };
  },
});

/** A category can be hidden from somebody who sees a channel in it. */
async function parentOf(channel: APIChannel, { canSee, discord, signal }: ReadContext) {
  const id = "parent_id" in channel ? (channel.parent_id ?? null) : null;
  if (id === null || !(await canSee(id))) return null;
  const { name = null } = await discord.channel(id, signal);
  const value =
    "thread_metadata" in channel
      ? { parent_channel_id: id, parent_name: name }
      : { category_id: id, category: name };
  return { id, value };
}
