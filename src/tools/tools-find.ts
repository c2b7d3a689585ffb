import { Type } from "typebox";
import { note } from "./result-schemas.ts";
import { defineTool, type KnownTool } from "./tool.ts";

/** Definitions are read by the model from then on: few are enough. */
const mostFound = 8;
/** Names that it is told when nothing fits. */
const mostNamed = 100;
const weights = { name: 3, title: 2, description: 1, parameters: 1 } as const;

/**
 * For models without a search of their own: only some tools stand in front of them, and what is found here does too
 * from then on. It asks Discord nothing, and finding a tool permits nothing.
 */
export const toolsFind = defineTool({
  name: "discord_tools_find",
  title: "Find tools",
  description:
    "Finds further tools by what they do, and makes them callable: there are tools for messages, reactions, channels, threads, forum posts, members, roles, permissions, the server, users and memory. Use it when no tool at hand fits, before saying that something cannot be done.",
  family: "server",
  kind: "read",
  repeatable: true,
  isFinder: true,
  input: Type.Object(
    {
      query: Type.String({
        minLength: 1,
        maxLength: 200,
        description:
          "What the tool should do, in a few English words, such as: time out a member. At most 200 characters.",
      }),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    tools: Type.Array(Type.Object({ name: Type.String(), description: Type.String() })),
    note,
  }),
  targets: {},
  async run({ query }, _places, { tools }) {
    const known = tools();
    const found = rankTools(query, known).slice(0, mostFound);
    const value =
      found.length > 0
        ? { tools: found.map(({ name, description }) => ({ name, description })) }
        : { tools: [], note: `Nothing fits. There are: ${namesOf(known)}` };
    return { value, sources: [] };
  },
});

const namesOf = (tools: readonly KnownTool[]): string =>
  tools
    .slice(0, mostNamed)
    .map(({ name }) => name)
    .join(", ");

/** Those in which a word of the query stands, best first: rare words count more, and those of the name most. */
export function rankTools(query: string, tools: readonly KnownTool[]): readonly KnownTool[] {
  const texts = tools.map(textsOf);
  const scores = new Map<KnownTool, number>();
  for (const word of new Set(wordsOf(query))) {
    const fitting = texts.filter(({ words }) => words.has(word));
    const rarity = Math.log(1 + tools.length / (1 + fitting.length));
    for (const { tool, words } of fitting)
      scores.set(tool, (scores.get(tool) ?? 0) + rarity * (words.get(word) ?? 0));
  }
  return [...scores].sort(([, a], [, b]) => b - a).map(([tool]) => tool);
}

function textsOf(tool: KnownTool) {
  const words = new Map<string, number>();
  const add = (text: string, weight: number) => {
    for (const word of wordsOf(text)) words.set(word, Math.max(words.get(word) ?? 0, weight));
  };
  add(tool.description, weights.description);
  for (const argument of argumentsOf(tool.parameters)) add(argument, weights.parameters);
  add(tool.title, weights.title);
  add(tool.name, weights.name);
  return { tool, words };
}

function argumentsOf(parameters: unknown): readonly string[] {
  if (typeof parameters !== "object" || parameters === null || !("properties" in parameters)) return [];
  return Object.keys(Object(parameters.properties));
}

/** Small words say nothing, and every tool is one of Discord's. */
const passedOver = new Set(
  "a an and as at by can do for from in is it its of on or that the this to with".split(" "),
);

/** In lower case, without endings: "members" and "member" are one word, and so are "banned", "bans" and "ban". */
function wordsOf(text: string): readonly string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.filter((word) => !passedOver.has(word) && word !== "discord").map(stemOf);
}

const stemOf = (word: string): string =>
  word.length <= 3 ? word : word.replace(/(?:([^aeiou])\1)?(?:ing|ed|es|s|e)$/, "$1");
