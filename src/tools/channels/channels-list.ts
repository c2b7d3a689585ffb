import { type APIChannel, ChannelType } from "discord-api-types/v10";
import { Type } from "typebox";
import { channelArgument, pageSize } from "../argument-schemas.ts";
import { channelFacts } from "../channel-facts.ts";
import { nextOffset, nullable } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { inCategory } from "./describe.ts";
import { channelKind, guildKinds, typeOfKind } from "./kinds.ts";
import { inOrder, placesOf } from "./order.ts";
import { sourcesOfChannels } from "./shown.ts";

export const channelsList = defineTool({
  name: "discord_channels_list",
  title: "List channels",
  description:
    "Lists the server's channels that the person who asks can see, category by category, with type, topic and position: the place in the category, 0 for the first, voice channels apart. Threads are not among them.",
  family: "channels",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      type: Type.Optional(Type.Enum([...guildKinds], { description: "Only channels of this type." })),
      name: Type.Optional(
        Type.String({ minLength: 1, maxLength: 100, description: "Only channels whose name contains this." }),
      ),
      category_id: Type.Optional(channelArgument("Only channels in this category.")),
      limit: pageSize("channels", { most: 100, default: 50 }),
      offset: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 1000, default: 0, description: "How many to pass over first." }),
      ),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    next_offset: nextOffset,
    channels: Type.Array(
      Type.Object({
        channel_id: Type.String(),
        name: nullable(Type.String()),
        type: Type.String(),
        topic: Type.Optional(Type.String()),
        ...inCategory,
        position: Type.Integer({ description: "Its place in the category, 0 for the first." }),
      }),
    ),
  }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: 0n },
    category: {
      kind: "channel",
      argument: "category_id",
      absent: "none",
      types: [ChannelType.GuildCategory],
      needs: 0n,
    },
  },
  async run({ type, name, limit = 50, offset = 0 }, { guild, category }, { discord, signal, visible }) {
    const seen = inOrder(await visible(await discord.guildChannels(guild.facts.id, signal)));
    const categories = new Map(seen.filter(isCategory).map((one) => [one.id, one]));
    const places = placesOf(seen);
    const wanted = name?.toLowerCase();
    const found = seen.filter(
      (one) =>
        (type === undefined || one.type === typeOfKind(type)) &&
        (wanted === undefined || (one.name ?? "").toLowerCase().includes(wanted)) &&
        (category === null || parentIdOf(one) === category.facts.id),
    );
    const page = found.slice(offset, offset + limit);
    const parents = page.flatMap((one) => categories.get(parentIdOf(one) ?? "") ?? []);
    const value = {
      ...(found.length > offset + limit ? { next_offset: offset + page.length } : {}),
      channels: page.map((one) => {
        const parent = categories.get(parentIdOf(one) ?? "");
        return {
          channel_id: one.id,
          name: one.name ?? null,
          type: channelKind(one.type),
          ...("topic" in one && one.topic ? { topic: one.topic } : {}),
          ...(parent === undefined ? {} : { category: parent.name ?? null, category_id: parent.id }),
          position: places.get(one.id) ?? 0,
        };
      }),
    };
    const shown = [...page, ...parents].map((one) => channelFacts(one, guild.facts.id));
    return { value, sources: [fromGuild(guild.facts.id), ...sourcesOfChannels(guild.facts, shown)] };
  },
});

const isCategory = ({ type }: APIChannel): boolean => type === ChannelType.GuildCategory;
const parentIdOf = (channel: APIChannel): string | null =>
  "parent_id" in channel ? (channel.parent_id ?? null) : null;
