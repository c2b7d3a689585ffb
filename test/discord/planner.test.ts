import { expect, test } from "bun:test";
import { Planner } from "../../src/discord/posts/planner.ts";
import { accept, done, folder } from "../memory/helpers.ts";

test("what waits for direct channels keeps nothing else from being planned, however much it is", async () => {
  using at = folder();
  using memory = at.open();
  const answered = async (n: number, answerTo: "asker" | "channel") => {
    const id = String(n);
    const replyTo = { channelId: "200", messageId: id };
    const turn = await accept(memory, { userId: id, origin: "discord", discordMessageId: id, replyTo });
    await memory.turns.begin(turn.id);
    await memory.turns.end(turn.id, done({ answerTo }));
  };
  for (let n = 1; n <= 80; n++) await answered(n, n % 40 === 0 ? "channel" : "asker");
  const opening = new Set<string>();
  const planner = new Planner({
    outbox: memory.outbox,
    directChannel: (userId) => {
      opening.add(userId);
      return null;
    },
    giveUp: async () => {},
  });
  await planner.plan();
  expect((await memory.outbox.open(100)).map((post) => post.replyToMessageId)).toEqual(["40", "80"]);
  expect(opening.size).toBe(78);
});
