import { Type } from "typebox";
import { toActor } from "../audiences.ts";
import { excerpt } from "../question.ts";
import { timestamp } from "../result-schemas.ts";
import { fromChannel, fromSelf } from "../sources.ts";
import { defineTool, type ReadContext } from "../tool.ts";

const maxText = 1000;

export const memoryRemember = defineTool({
  name: "discord_memory_remember",
  title: "Remember something",
  description:
    "Remembers something for the person who asks, for later conversations in any channel. Only when they want it to be remembered; in one sentence that can be understood by itself.",
  family: "memory",
  kind: "write",
  asks: "never",
  repeatable: false,
  input: Type.Object(
    {
      text: Type.String({
        minLength: 1,
        maxLength: maxText,
        pattern: "\\S",
        description: `What to remember. At most ${maxText} characters.`,
      }),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({ memory_id: Type.String(), remembered_at: timestamp("When.") }),
  targets: {},
  question: ({ text }) => `Remember ${excerpt(text)} for you?`,
  audience: (_input, _places, actor) => toActor(actor),
  async run({ text }, _places, context) {
    const { id, createdAt } = await context.memories.add(context.actor.userId, text, sourcesOf(context));
    const value = { memory_id: id, remembered_at: new Date(createdAt).toISOString() };
    return { value, sources: [] };
  },
});

/**
 * What it rests on: what was read for it, and the words themselves, which those have heard who read along. So what is
 * told in a private channel, to the bot alone or by a program is not said aloud elsewhere.
 */
function sourcesOf({ actor, audience, sources }: ReadContext): readonly string[] {
  const words = audience.kind === "user" ? fromSelf(actor.userId) : fromChannel(actor.channelId);
  return [...new Set([words, ...sources])];
}
