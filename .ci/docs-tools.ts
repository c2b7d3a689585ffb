import { permissionNames } from "../src/permissions/names.ts";
import { allTools } from "../src/tools/all.ts";
import { channelKind } from "../src/tools/channels/kinds.ts";
import { plainSchema } from "../src/tools/plain-schema.ts";
import type { TargetSpec } from "../src/tools/targets.ts";
import { families, type Tool } from "../src/tools/tool.ts";
import { resultOf, shapesSection } from "./docs-results.ts";
import { table } from "./docs-section.ts";

/** Every tool of the registry, by family: what it does, its arguments, its result, and what it needs. */
export function toolsSection(): string {
  const present = families.filter((family) => allTools.some((tool) => tool.family === family));
  const overview = table(
    ["family", "tools"],
    present.map((family) => [`[${family}](#${family})`, ofFamily(family).map(link).join(", ")]),
  );
  const sections = present.map((family) => `## ${family}\n\n${ofFamily(family).map(describe).join("\n\n")}`);
  return [overview, shapesSection(), ...sections].join("\n\n");
}

const ofFamily = (family: string): readonly Tool[] => allTools.filter((tool) => tool.family === family);
const link = ({ name }: Tool): string => `[\`${name}\`](#${name})`;

function describe(tool: Tool): string {
  const needs = Object.entries(tool.targets).map(([name, spec]) => `- ${needsOf(name, spec)}`);
  const args = argumentsOf(tool);
  return [
    `### ${tool.name}`,
    `**${tool.title}.** ${tool.description}`,
    `_${kindOf(tool)}_`,
    args.length === 0 ? "It takes no arguments." : table(["argument", "type", "", "meaning", "limits"], args),
    resultOf(tool.output),
    needs.length === 0 ? "It needs nothing of Discord." : `Needs:\n\n${needs.join("\n")}`,
  ].join("\n\n");
}

function kindOf(tool: Tool): string {
  const repeating = tool.repeatable
    ? "running it twice does no more than once"
    : "running it twice does it twice";
  if (tool.kind === "read")
    return `Reads.${tool.isFinder ? " For models without a tool search of their own." : ""}`;
  const asks =
    tool.asks === "never"
      ? "it is the person's own, and asks nobody"
      : tool.kind === "destroy" || tool.asks === "always"
        ? "it always asks first"
        : tool.asks === "elsewhere"
          ? "elsewhere than where the person speaks it asks first, unless `TOOL_WRITES=run`"
          : "it asks first, unless `TOOL_WRITES=run`";
  return `${tool.kind === "write" ? "Writes" : "Destroys"}: ${asks}; ${repeating}.`;
}

interface Property {
  readonly type: string;
  readonly description: string;
  readonly limits: readonly string[];
}

function argumentsOf({ input }: Tool): string[][] {
  const { properties, required } = plainSchema(input);
  return Object.entries(fieldsOf(properties)).map(([name, schema]) => {
    const { type, description, limits } = propertyOf(fieldsOf(schema));
    return [`\`${name}\``, type, required.includes(name) ? "required" : "", description, limits.join(", ")];
  });
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};

function propertyOf(schema: Readonly<Record<string, unknown>>): Property {
  const { description = "", minItems = 0, maxItems } = schema;
  const base = { description: String(description) };
  if (Array.isArray(schema.enum))
    return { ...base, type: schema.enum.map((one) => `\`${one}\``).join(", "), limits: defaultOf(schema) };
  if ("const" in schema) return { ...base, type: `\`${String(schema.const)}\``, limits: [] };
  if (schema.type !== "array")
    return { ...base, type: String(schema.type), limits: [...rangeOf(schema), ...defaultOf(schema)] };
  const items = propertyOf(fieldsOf(schema.items));
  const count = maxItems === undefined ? [] : [`${minItems} to ${maxItems} of them`];
  const each = items.limits.length === 0 ? [] : [`each ${items.limits.join(", ")}`];
  return { ...base, type: `list of ${items.type}`, limits: [...count, ...each] };
}

function rangeOf({
  minimum,
  maximum,
  minLength,
  maxLength,
  pattern,
}: Readonly<Record<string, unknown>>): string[] {
  const ofNumber = minimum === undefined ? [] : [`${minimum} to ${maximum}`];
  const ofText = maxLength === undefined ? [] : [`${minLength ?? 0} to ${maxLength} characters`];
  const shape =
    pattern === "^[0-9]{15,20}$"
      ? ["15 to 20 digits"]
      : String(pattern).startsWith("^[0-9]{4}-")
        ? ["ISO 8601"]
        : [];
  return [...ofNumber, ...ofText, ...shape];
}

const defaultOf = (schema: Readonly<Record<string, unknown>>): string[] =>
  schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`];

/** `**channel** (`channel_id`): the person and the bot View Channel; the person Send Messages. …`. */
function needsOf(name: string, spec: TargetSpec): string {
  const seen = spec.kind === "channel" ? ["View Channel"] : [];
  const needed = [
    ["of the person and of the bot", [...seen, ...wordsOf(spec.needs)]],
    ["of the person", wordsOf(spec.actorNeeds)],
    ["of the bot", wordsOf(spec.botNeeds)],
  ] as const;
  const needs = needed.flatMap(([whose, words]) =>
    words.length === 0 ? [] : [`${whose}: ${words.join("; ")}`],
  );
  const said = [needs.length === 0 ? "no permission" : needs.join(". And "), ...conditionsOf(spec)];
  return `**${name}**${namedBy(spec)}, ${said.join(". ")}.`;
}

function wordsOf(needs: bigint | { readonly words: string } | undefined): readonly string[] {
  if (needs === undefined || needs === 0n) return [];
  return typeof needs === "bigint" ? [permissionNames(needs).join(", ")] : [needs.words];
}

function namedBy(spec: TargetSpec): string {
  if (spec.argument === null) return "";
  const otherwise =
    "absent" in spec ? { own: "the one of this conversation", self: "the person who asks" } : null;
  const instead =
    "absent" in spec && (spec.absent === "own" || spec.absent === "self")
      ? `, or ${otherwise?.[spec.absent]}`
      : "";
  return ` (\`${spec.argument}\`${instead})`;
}

function conditionsOf(spec: TargetSpec): readonly string[] {
  switch (spec.kind) {
    case "channel":
      return [
        ...(spec.types === undefined
          ? []
          : [`Works for ${spec.types.map((type) => channelKind(type).replaceAll("_", " ")).join(", ")}`]),
        ...(spec.speaks
          ? ["Slow mode, verification, time-outs and closed threads count as for writing by hand"]
          : []),
      ];
    case "member":
      return spec.isBelow
        ? ["The person and the bot must each stand above them, by their highest roles"]
        : [];
    case "user":
      return spec.isBelow ? ["If they are a member, the person and the bot must each stand above them"] : [];
    case "role":
      return spec.isBelow
        ? ["It must be below the highest role of the person and of the bot, and belong to no integration"]
        : [];
    case "guild":
      return spec.absent === "error" ? ["Works in servers only"] : [];
    case "message":
    case "messages":
      return [`In the ${spec.in} above`];
    default:
      return spec satisfies never;
  }
}
