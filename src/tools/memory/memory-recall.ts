import { Type } from "typebox";
import type { Memory } from "../ports.ts";
import { nextOffset, note, timestamp } from "../result-schemas.ts";
import { defineTool } from "../tool.ts";

export const memoryRecall = defineTool({
  name: "discord_memory_recall",
  title: "Recall what was remembered",
  description:
    "Finds what the person who asks has wanted to be remembered, in any channel, newest first. Use it when they refer to something that they told you before.",
  family: "memory",
  kind: "read",
  repeatable: true,
  isCore: true,
  input: Type.Object(
    {
      query: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description: "Words that are all in it. Without it: everything.",
        }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: 20, description: "How many." })),
      offset: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 500, default: 0, description: "How many to pass over first." }),
      ),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    next_offset: nextOffset,
    note,
    memories: Type.Array(
      Type.Object({ memory_id: Type.String(), text: Type.String(), remembered_at: timestamp("When.") }),
    ),
  }),
  targets: {},
  async run({ query = "", limit = 20, offset = 0 }, _places, { actor, audience, memories, restricted }) {
    const all = await memories.list(actor.userId);
    const closed = new Set(await restricted([...new Set(all.flatMap(({ sources }) => sources))]));
    const open = all.filter(({ sources }) => !sources.some((source) => closed.has(source)));
    const found = open.filter(holdsAll(query));
    const page = found.slice(offset, offset + limit);
    const value = {
      ...(found.length > offset + limit ? { next_offset: offset + page.length } : {}),
      ...leftOut(all.length - open.length, audience.kind === "user"),
      memories: page.map(({ id, text, createdAt }) => ({
        memory_id: id,
        text,
        remembered_at: new Date(createdAt).toISOString(),
      })),
    };
    return { value, sources: [...new Set(page.flatMap(({ sources }) => sources))] };
  },
});

function holdsAll(query: string): (memory: Memory) => boolean {
  const words = folded(query)
    .split(/\s+/)
    .filter((word) => word !== "");
  return ({ text }) => {
    const within = folded(text);
    return words.every((word) => within.includes(word));
  };
}

const folded = (text: string): string => text.normalize("NFKC").toLowerCase();

/** Of all that is remembered, whatever was asked for: its words are not even to be guessed at here. */
function leftOut(count: number, isAlone: boolean): { readonly note?: string } {
  if (count === 0) return {};
  const what = count === 1 ? "1 more is kept back" : `${count} more are kept back`;
  return {
    note: isAlone
      ? `${what}, because what it rests on cannot be read by the person any more.`
      : `${what}, because not everybody here could read what it rests on; the person can ask in a direct message.`,
  };
}
