import { Type } from "typebox";
import { channelOrOwn, pageSize, time } from "../argument-schemas.ts";
import { nextPage, note, timestamp } from "../result-schemas.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { describeMessage, messageShape, seemsWithheld, withheldNote } from "./describe.ts";
import { readChannel } from "./one-message.ts";
import { pageTime } from "./times.ts";

export const pinsList = defineTool({
  name: "discord_pins_list",
  title: "List pins",
  description: "Lists the pinned messages of a Discord channel or thread, the latest pin first.",
  family: "messages",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: channelOrOwn("Which channel."),
      limit: pageSize("pins", { most: 50, default: 20 }),
      before: Type.Optional(time("Only what was pinned before this time: next_before of the page before.")),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    channel_id: Type.String(),
    next_before: nextPage("before"),
    note,
    pins: Type.Array(
      Type.Object({ pinned_at: timestamp("When it was pinned."), ...messageShape.properties }),
    ),
  }),
  targets: {
    channel: readChannel,
  },
  check({ before }) {
    if (before !== undefined) pageTime("before", before);
  },
  async run({ limit = 20, before }, { channel }, { discord, signal }) {
    const channelId = channel.facts.id;
    const page = { limit, ...(before === undefined ? {} : { before: pageTime("before", before) }) };
    const { items, hasMore } = await discord.pins(channelId, page, signal);
    const last = items.at(-1);
    const value = {
      channel_id: channelId,
      ...(hasMore && last !== undefined ? { next_before: last.pinned_at } : {}),
      ...(items.some(({ message }) => seemsWithheld(message)) ? { note: withheldNote } : {}),
      pins: items.map(({ pinned_at, message }) => ({ pinned_at, ...describeMessage(message) })),
    };
    return { value, sources: [fromChannel(channelId)] };
  },
});
