import fc from "fast-check";
import type { TSchema } from "typebox";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";

const { users, channels, roles, tags, guildId, botId, emojiId } = DEMO;

/** Stands for what only the world knows that is called: one of its messages in #general, and one of the bot's. */
export const othersMessage = "{others}";
export const ownMessage = "{own}";

/** What people and models write for a place, a person, a text. */
const words = fc.oneof(
  fc.constantFrom(
    ...[...Object.values(channels), ...Object.values(users), ...Object.values(roles), guildId, botId],
  ),
  fc.constantFrom(
    "#general",
    "general",
    "<#1>",
    `<#${channels.general}>`,
    `<@${users.ana}>`,
    `<@!${users.ben}>`,
    `<@&${roles.crew}>`,
    "<@",
    "@everyone",
    "@here",
    "Ana",
    "@ana",
    "ben#1234",
    "https://discord.com/channels/1/2/3",
    `https://discord.com/channels/${guildId}/${channels.general}`,
    "discord://users/1",
    "300000000000000099",
    "0",
    "-1",
    "99999999999999999999",
    "1e20",
    "\u0000",
    "\u202eevil",
    "\u200b",
    "ｇｅｎｅｒａｌ",
    "générál",
    "👍",
    "<:sail:1>",
    "regional_indicator_a",
    "%00/../",
    "../../users/@me",
    "?a=b#c",
    "a\nb",
    "Send Messages",
    "SEND_MESSAGES",
    "2026-05-01T18:30:00Z",
    "2026-02-31",
    "9999-12-31T23:59:59+23:59",
  ),
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({ unit: "grapheme", maxLength: 10 }),
  fc.constantFrom(100, 1999, 2001, 5000).map((length) => "x".repeat(length)),
);

const among = (...all: readonly string[]) => fc.constantFrom(...all);
const channel = among(
  ...[channels.general, channels.general, ...Object.values(channels)],
  ...["#general", "help", `<#${channels.random}>`],
);
const user = among(...Object.values(users), botId, "@ana", "Ben", `<@${users.ben}>`);
const time = among(
  "2024-03-01T00:05:00Z",
  "2024-02-01T00:00:00Z",
  "2099-01-01T00:00:00Z",
  "2023-01-01T00:00:00Z",
);
const message = among(othersMessage, othersMessage, ownMessage, ownMessage);
/** By the names that tools give to their arguments. */
const known: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  ...{ channel_id: channel, user_id: user, author_id: user, mentions: user, message_id: message },
  message_ids: fc.uniqueArray(message, { minLength: 1, maxLength: 2 }),
  category_id: among(channels.category, channels.category, "Category", channels.general),
  role_id: among(...Object.values(roles), "Crew", guildId),
  guild_id: fc.constant(guildId),
  emoji: among("👍", "⚓", `sail:${emojiId}`, `<:sail:${emojiId}>`),
  ...{ before: time, after: time, until: time },
  before_entry: fc.constant(guildId),
  permission: among("Send Messages", "Manage Roles", "VIEW_CHANNEL", "Administrator"),
  permissions: fc.subarray(["Send Messages", "Add Reactions", "View Channels"], { minLength: 1 }),
  action: among("member_ban_add", "role_create", "channel_update"),
  ...{ tag: among("Tea", tags.boats), tags: fc.subarray(["Tea", "Boats"]) },
  color: among("#3498db", "#000000"),
  content: among("Ahoy", "Ahoy <@1>, see #general", "**bold** `x`", "tide"),
  ...{ name: among("dock", "rowers", "long talk"), title: among("Knots"), query: among("b", "tide", "ban") },
};

/** Values of a tool's own schema, as far as it says what they are; for some names mostly what the world has. */
function ofSchema(schema: Readonly<Record<string, unknown>>, name = ""): fc.Arbitrary<unknown> {
  const fitting = Object.hasOwn(known, name) ? known[name] : undefined;
  if (fitting === undefined) return anyOfSchema(schema);
  return fc.oneof({ arbitrary: fitting, weight: 9 }, anyOfSchema(schema));
}

function anyOfSchema(schema: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const { type, properties, items, anyOf, minimum, maximum, minItems, maxItems } = schema;
  if ("const" in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom<unknown>(...schema.enum);
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map((one) => ofSchema(one)));
  if (type === "boolean") return fc.boolean();
  if (type === "integer" || type === "number") {
    const least = typeof minimum === "number" ? minimum : 0;
    return fc.integer({ min: least, max: typeof maximum === "number" ? maximum : least + 1000 });
  }
  if (type === "array") {
    const minLength = typeof minItems === "number" ? minItems : 0;
    const most = typeof maxItems === "number" ? maxItems : 5;
    return fc.array(isSchema(items) ? ofSchema(items) : fc.jsonValue(), {
      minLength,
      maxLength: Math.max(minLength, Math.min(most, 5)),
    });
  }
  if (type === "object" && isSchema(properties)) {
    const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : [];
    const parts: Record<string, fc.Arbitrary<unknown>> = {};
    for (const [name, part] of Object.entries(properties)) {
      const value = isSchema(part) ? ofSchema(part, name) : fc.jsonValue();
      parts[name] = required.includes(name) ? value : fc.option(value, { nil: undefined, freq: 1 });
    }
    return fc.record(parts).map((all) => JSON.parse(JSON.stringify(all)));
  }
  return type === "string" ? words : fc.jsonValue();
}

const isSchema = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Inputs that fit a tool's schema, mostly such as the demo's world has an answer to. */
export const inputsOf = (input: TSchema): fc.Arbitrary<unknown> => ofSchema(plain(input));

const plain = (schema: TSchema): Readonly<Record<string, unknown>> => JSON.parse(JSON.stringify(schema));
