import fc, { type GeneratorValue } from "fast-check";
import description from "../fixtures/discord-openapi.json";

type Json = Readonly<Record<string, unknown>>;

const at = "#/components/schemas/";

const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const schemas: Json = description.components.schemas;

/** Sets of permission bits are described as mere texts: https://docs.discord.com/developers/topics/permissions */
const bitSets: readonly string[] = ["allow", "deny", "permissions"];
/** Below it only what must be there is, so that it ends. */
const deep = 4;

/** Any value that Discord's description allows of that schema: with and without what may be missing. */
export const ofDescription = (name: string): fc.Arbitrary<unknown> =>
  fc.gen().map((gen) => make({ $ref: `${at}${name}` }, gen, 0));

/** It gives channels of all kinds one list of types; which of them are whose is documented: https://docs.discord.com/developers/resources/channel#channel-object-channel-types */
const typesOf: Readonly<Record<string, readonly number[]>> = {
  GuildChannelResponse: [0, 2, 4, 5, 13, 14, 15, 16],
  ThreadResponse: [10, 11, 12],
  PrivateChannelResponse: [1],
  PrivateGroupChannelResponse: [3],
};

function make(schema: unknown, gen: GeneratorValue, depth: number, field = ""): unknown {
  if (!isJson(schema)) return gen(fc.jsonValue, { maxDepth: 1 });
  const one = (choices: readonly unknown[]) =>
    make(choices[gen(fc.nat, { max: choices.length - 1 })], gen, depth, field);
  if (typeof schema.$ref === "string") {
    const name = schema.$ref.slice(at.length);
    const made = make(schemas[name], gen, depth, field);
    const types = typesOf[name];
    return types !== undefined && isJson(made)
      ? { ...made, type: one(types.map((type) => ({ const: type }))) }
      : made;
  }
  if (Array.isArray(schema.oneOf)) return one(schema.oneOf);
  if (Array.isArray(schema.anyOf)) return one(schema.anyOf);
  if (Array.isArray(schema.allOf)) return one(schema.allOf);
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[gen(fc.nat, { max: schema.enum.length - 1 })];
  if (Array.isArray(schema.type)) return one(schema.type.map((type) => ({ ...schema, type })));
  switch (schema.type) {
    case "null":
      return null;
    case "boolean":
      return gen(fc.boolean);
    case "integer":
      return gen(fc.integer);
    case "number":
      return gen(fc.double, { noNaN: true, noDefaultInfinity: true });
    case "string":
      return text(schema, gen, field);
    case "array": {
      const length = depth >= deep ? 0 : gen(fc.nat, { max: 2 });
      return Array.from({ length }, () => make(schema.items, gen, depth + 1, field));
    }
    case "object":
      return record(schema, gen, depth);
    default:
      return gen(fc.jsonValue, { maxDepth: 1 });
  }
}

function text({ format }: Json, gen: GeneratorValue, field: string): string {
  if (bitSets.includes(field)) return String(gen(fc.bigInt, { min: 0n, max: 1n << 60n }));
  if (format === "snowflake") return String(gen(fc.bigInt, { min: 0n, max: (1n << 63n) - 1n }));
  if (format === "date-time") return `${gen(fc.date, { noInvalidDate: true }).toISOString()}`;
  return gen(fc.string);
}

function record({ properties, required }: Json, gen: GeneratorValue, depth: number): Json {
  const needed = Array.isArray(required) ? required : [];
  const made: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(isJson(properties) ? properties : {}))
    if (needed.includes(name) || (depth < deep && gen(fc.boolean)))
      made[name] = make(schema, gen, depth + 1, name);
  return made;
}
