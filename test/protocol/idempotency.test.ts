import { expect, test } from "bun:test";
import type { Forgotten } from "../../src/actor.ts";
import { Listeners } from "../../src/listeners.ts";
import { createToolCallMemory } from "../../src/protocol/idempotency.ts";

test("whoever is forgotten takes along what was remembered of their calls, and nobody else's", async () => {
  const forgotten = new Listeners<Forgotten>();
  const remember = createToolCallMemory((listener) => forgotten.add(listener));
  const ran: string[] = [];
  const call = (userId: string) =>
    remember(
      { id: "s", conversationId: `of ${userId}`, userId, guildId: "300" },
      "k",
      ["tool", {}],
      async () => {
        ran.push(userId);
        return { kind: "done", text: "", sources: [] };
      },
    );
  for (const id of ["100", "200", "100", "200"]) await call(id);
  expect(ran.splice(0)).toEqual(["100", "200"]);
  forgotten.tell({ kind: "user", id: "100" });
  for (const id of ["100", "200"]) await call(id);
  expect(ran).toEqual(["100"]);
});
