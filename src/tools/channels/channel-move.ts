import { type APIChannel, ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { channelArgument, channelOrOwn, reasonArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { quoted } from "../authority.ts";
import { nullable } from "../result-schemas.ts";
import { fromChannel } from "../sources.ts";
import type { ChannelPlace } from "../targets.ts";
import { type ChangeContext, defineTool } from "../tool.ts";
import { guildTypes } from "./kinds.ts";
import { positionsFor } from "./order.ts";
import { categoryInCategory } from "./settings.ts";

const { ManageChannels } = PermissionFlagsBits;

export const channelMove = defineTool({
  name: "discord_channel_move",
  title: "Move a channel",
  description:
    "Moves a channel into a category, out of its category, or to another place among the channels of its category; a category among the categories. Its permissions stay as they are: discord_channel_sync gives it the category's.",
  family: "channels",
  kind: "write",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: channelOrOwn("Which channel."),
      category_id: Type.Optional(channelArgument("The category that it goes into.")),
      out_of_category: Type.Optional(Type.Literal(true, { description: "It is to be in no category." })),
      place: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 499,
          description:
            "Its place among the channels of its category that the person sees, 0 for the first. Voice channels are counted apart: they stand below the others.",
        }),
      ),
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    channel_id: Type.String(),
    name: Type.String(),
    category: Type.Optional(Type.String({ description: "The name of the category that it went into." })),
    category_id: nullable(Type.String({ description: "The category that it is in now." })),
    place: Type.Optional(Type.Integer()),
    permissions: Type.String({ description: "What became of its permissions." }),
  }),
  targets: {
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "own",
      types: guildTypes,
      needs: ManageChannels,
    },
    category: {
      kind: "channel",
      argument: "category_id",
      absent: "none",
      types: [ChannelType.GuildCategory],
      needs: ManageChannels,
    },
    guild: {
      kind: "guild",
      argument: null,
      absent: "error",
      needs: {
        words: "Manage Channels, for another place or out of a category",
        bits: (_place, _userId, { place, out_of_category: out }) =>
          place === undefined && out === undefined ? 0n : ManageChannels,
      },
    },
  },
  check({ place, out_of_category: out }, { channel, category }) {
    if (place === undefined && category === null && out === undefined)
      throw new AppError("invalid_arguments", "Say where to: category_id, out_of_category or place.");
    if (category !== null && out !== undefined)
      throw new AppError("invalid_arguments", "Give at most one of category_id and out_of_category.");
    if (category !== null && channel.facts.type === ChannelType.GuildCategory) throw categoryInCategory();
  },
  question({ place, out_of_category: out }, { channel, category }) {
    const into = category === null ? "" : ` into the category ${quoted(category.facts.name)}`;
    const at = place === undefined ? "" : ` to place ${place} there (0 is the first)`;
    return `Move ${channel.actor.place}${into}${out === undefined ? "" : " out of its category"}${at}?`;
  },
  audience: (_input, { channel }) => inChannel(channel),
  async run({ place, out_of_category: out, reason }, { channel, category }, context) {
    const { id, parentId } = channel.facts;
    const parent = category === null ? (out === undefined ? parentId : null) : category.facts.id;
    const change = { signal: context.signal, reason: context.reason(reason) };
    if (place === undefined) await context.change.editChannel(id, { parent_id: parent }, change);
    else await putInPlace(channel, parent, place, context, change);
    const value = {
      channel_id: id,
      name: channel.facts.name,
      ...(category === null ? {} : { category: category.facts.name }),
      category_id: parent,
      ...(place === undefined ? {} : { place }),
      permissions: "unchanged",
    };
    const sources = [channel, ...(category === null ? [] : [category])].map(({ facts }) =>
      fromChannel(facts.id),
    );
    return { value, sources };
  },
});

async function putInPlace(
  { facts }: ChannelPlace,
  parentId: string | null,
  place: number,
  { discord, visible, change, signal }: ChangeContext,
  how: Parameters<ChangeContext["change"]["moveChannels"]>[2],
): Promise<void> {
  const guildId = facts.guildId ?? "";
  const all = await discord.guildChannels(guildId, signal);
  const moved = all.find(({ id }) => id === facts.id);
  if (moved === undefined)
    throw new AppError("not_found", "That channel is gone: it was deleted a moment ago.");
  const isCategory = facts.type === ChannelType.GuildCategory;
  const siblings = all.filter((one) =>
    isCategory
      ? one.type === facts.type
      : one.type !== ChannelType.GuildCategory && parentIdOf(one) === parentId,
  );
  const seen = new Set((await visible(siblings)).map(({ id }) => id));
  const positions = positionsFor(moved, place, siblings, seen).map((one) =>
    one.id === facts.id && parentId !== facts.parentId ? { ...one, parent_id: parentId } : one,
  );
  await change.moveChannels(guildId, positions, how);
}

const parentIdOf = (channel: APIChannel): string | null =>
  "parent_id" in channel ? (channel.parent_id ?? null) : null;
