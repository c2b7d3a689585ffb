import { Type } from "typebox";
import { toActor } from "../audiences.ts";
import { defineTool } from "../tool.ts";

/** A tool of its own, since it asks: a planted instruction could otherwise empty what somebody wanted to be kept. */
export const memoryClear = defineTool({
  name: "discord_memory_clear",
  title: "Forget everything",
  description: "Forgets for good everything that was remembered for the person who asks.",
  family: "memory",
  kind: "destroy",
  repeatable: true,
  input: Type.Object({}, { additionalProperties: false }),
  output: Type.Object({ forgotten: Type.Integer({ description: "How many." }) }),
  targets: {},
  question: () => "Forget everything that I remember for you?",
  audience: (_input, _places, actor) => toActor(actor),
  run: async (_input, _places, { actor, memories }) => ({
    value: { forgotten: await memories.removeAll(actor.userId) },
    sources: [],
  }),
});
