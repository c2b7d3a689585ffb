import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { channelArgument, reasonArgument } from "../argument-schemas.ts";
import { inChannel, inGuild } from "../audiences.ts";
import { quoted } from "../authority.ts";
import { excerpt } from "../question.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { channelShape, describeChannel, inCategory } from "./describe.ts";
import { guildKinds, typeOfKind } from "./kinds.ts";
import {
  assertFits,
  categoryInCategory,
  channelName,
  channelSettings,
  namesOf,
  settingsBody,
  settingsInWords,
} from "./settings.ts";

export const channelCreate = defineTool({
  name: "discord_channel_create",
  title: "Create a channel",
  description:
    "Creates a channel or category in the server. In a category it begins with that one's permissions, else everybody who sees the server sees it.",
  family: "channels",
  kind: "write",
  repeatable: false,
  input: Type.Object(
    {
      name: channelName("What it is called."),
      type: Type.Optional(
        Type.Enum([...guildKinds], { description: "What kind of channel. Default: text." }),
      ),
      category_id: Type.Optional(channelArgument("The category that it goes into.")),
      ...channelSettings,
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({ ...channelShape.properties, ...inCategory }),
  targets: {
    guild: {
      kind: "guild",
      argument: null,
      absent: "error",
      needs: {
        words: "Manage Channels, unless it goes into a category",
        bits: (_place, _userId, given) =>
          given.category_id === undefined ? PermissionFlagsBits.ManageChannels : 0n,
      },
    },
    category: {
      kind: "channel",
      argument: "category_id",
      absent: "none",
      types: [ChannelType.GuildCategory],
      needs: PermissionFlagsBits.ManageChannels,
    },
  },
  check({ type = "text", ...given }, { category }) {
    assertFits(typeOfKind(type), given);
    if (type === "category" && category !== null) throw categoryInCategory();
  },
  question({ name, type = "text", ...settings }, { guild, category }) {
    const where =
      category === null ? quoted(guild.facts.name) : `the category ${quoted(category.facts.name)}`;
    const more = namesOf(settings).length === 0 ? "" : `, with ${settingsInWords(settings)}`;
    const what = type === "category" ? "category" : `${type} channel`;
    return `Create the ${what} ${excerpt(name)} in ${where}${more}?`;
  },
  audience: (_input, { guild, category }) =>
    category === null ? inGuild(guild.facts.id) : inChannel(category),
  async run({ name, type = "text", reason, ...settings }, { guild, category }, context) {
    const body = {
      name,
      type: typeOfKind(type),
      ...settingsBody(settings),
      ...(category === null ? {} : { parent_id: category.facts.id }),
    };
    const channel = await context.change.createChannel(guild.facts.id, body, {
      signal: context.signal,
      reason: context.reason(reason),
    });
    const value = {
      ...describeChannel(channel),
      ...(category === null ? {} : { category: category.facts.name, category_id: category.facts.id }),
    };
    return { value, sources: [fromChannel(channel.id)] };
  },
});
