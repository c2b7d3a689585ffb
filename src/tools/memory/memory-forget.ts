import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { toActor } from "../audiences.ts";
import { defineTool } from "../tool.ts";

export const memoryForget = defineTool({
  name: "discord_memory_forget",
  title: "Forget what was remembered",
  description:
    "Forgets for good what was remembered for the person who asks: one thing by its id, or everything when they say so.",
  family: "memory",
  kind: "write",
  asks: "never",
  repeatable: true,
  input: Type.Object(
    {
      memory_id: Type.Optional(
        Type.String({
          pattern: "^m_[A-Za-z0-9_-]{22}$",
          description: "Which, as discord_memory_recall gives it.",
        }),
      ),
      all: Type.Optional(Type.Literal(true, { description: "Everything that is remembered for them." })),
    },
    { additionalProperties: false },
  ),
  targets: {},
  question: ({ all }) =>
    all === undefined ? "Forget that for you?" : "Forget everything that I remember for you?",
  audience: (_input, _places, actor) => toActor(actor),
  // Decided here, not in a check: it needs nothing of Discord, and so works without it.
  async run({ memory_id: id, all }, _places, { actor, memories }) {
    if ((id === undefined) === (all === undefined))
      throw new AppError("invalid_arguments", "Give either memory_id or all.");
    if (id === undefined)
      return { value: { forgotten: await memories.removeAll(actor.userId) }, sources: [] };
    if (await memories.remove(actor.userId, id)) return { value: { forgotten: 1 }, sources: [] };
    throw new AppError("not_found", `Nothing with the id ${id} is remembered for this person.`);
  },
});
