import fc from "fast-check";
import type { TSchema } from "typebox";
import { allTools } from "../../../src/tools/all.ts";
import { DEMO, startWorld, type ToolWorld } from "../../tools/world.ts";
import { holds, isDocumented } from "../holds.ts";
import { mutated } from "../mutate.ts";
import { Rejections } from "../rejections.ts";
import { target } from "../target.ts";

const { users, channels, roles, guildId, botId } = DEMO;

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

/** Values of a tool's own schema, as far as it says what they are. */
function ofSchema(schema: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const { type, properties, items, anyOf, minimum, maximum, minItems, maxItems } = schema;
  if ("const" in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom<unknown>(...schema.enum);
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map(ofSchema));
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
    const parts: Record<string, fc.Arbitrary<unknown>> = {};
    for (const [name, part] of Object.entries(properties))
      parts[name] = isSchema(part) ? ofSchema(part) : fc.jsonValue();
    const requiredKeys = Array.isArray(schema.required) ? schema.required.map(String) : [];
    return fc.record(parts, { requiredKeys });
  }
  return type === "string" ? words : fc.jsonValue();
}

const isSchema = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const plain = (schema: TSchema): Readonly<Record<string, unknown>> => JSON.parse(JSON.stringify(schema));

/** Calls of one world: tools change it, and in time nothing would be left of it. */
const PER_WORLD = 40;

export const tools = target(
  "tools",
  "whatever its arguments, each tool gives its result or says what is wrong, and asks Discord for nothing that it does not know",
  100,
  () => {
    const rejections = new Rejections();
    let world: ToolWorld | null = null;
    let calls = 0;
    const calling = fc.constantFrom(...allTools).chain((tool) => {
      const fitting = ofSchema(plain(tool.input));
      const input = fc.oneof(
        fitting,
        fitting,
        fitting.chain((value) => mutated([value], 3)),
      );
      return fc.record({ toolName: fc.constant(tool.name), input });
    });
    const who = fc.record({
      as: fc.constantFrom(
        users.owner,
        users.owner,
        users.moderator,
        users.ana,
        users.ben,
        "300000000000000099",
      ),
      channel: fc.constantFrom(channels.general, channels.general, channels.thread, channels.staff),
      guild: fc.constantFrom(guildId, guildId, guildId, null),
      approve: fc.boolean(),
    });
    return {
      inputs: fc.record({ call: calling, who }),
      async check({ call: { toolName, input }, who: by }) {
        if (calls % PER_WORLD === 0) {
          await world?.[Symbol.asyncDispose]();
          world = await startWorld({ tools: allTools });
        }
        calls += 1;
        const outcome = await world?.call(toolName, input, by);
        rejections.check();
        if (outcome === undefined || outcome.kind === "done" || outcome.kind === "asked")
          return outcome?.kind ?? "nothing";
        holds(isDocumented(outcome.code), `${outcome.kind} with ${outcome.code}: ${outcome.text}`);
        holds(
          outcome.text.length > 0 && outcome.text.length < 5000,
          `a text of ${outcome.text.length} characters`,
        );
        holds(outcome.text.isWellFormed(), "a text with half a character");
        return String(outcome.code);
      },
      async [Symbol.asyncDispose]() {
        await world?.[Symbol.asyncDispose]();
        rejections[Symbol.dispose]();
      },
    };
  },
);
