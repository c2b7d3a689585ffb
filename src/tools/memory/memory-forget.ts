import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { toActor } from "../audiences.ts";
import { defineTool } from "../tool.ts";

export const memoryForget = defineTool({
  name: "discord_memory_forget",
  title: "Forget something",
  description: "Forgets for good one thing that was remembered for the person who asks.",
  family: "memory",
  kind: "write",
  asks: "never",
  repeatable: true,
  input: Type.Object(
    {
      memory_id: Type.String({
        pattern: "^m_[A-Za-z0-9_-]{22}$",
        description: "Which, as discord_memory_recall gives it.",
      }),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({ forgotten: Type.Integer({ description: "How many." }) }),
  targets: {},
  question: () => "Forget that for you?",
  audience: (_input, _places, actor) => toActor(actor),
  async run({ memory_id: id }, _places, { actor, memories }) {
    if (await memories.remove(actor.userId, id)) return { value: { forgotten: 1 }, sources: [] };
    throw new AppError("not_found", `Nothing with the id ${id} is remembered for this person.`);
  },
});
