import { expect, test } from "bun:test";
import type { Actor, Forgotten } from "../../src/actor.ts";
import { createWatching } from "../../src/mcp/watching.ts";

const at = (userId: string): Actor => ({ kind: "user", userId, guildId: "10", channelId: "0" });

test("who watches for somebody watches no more once they are forgotten, and others go on", () => {
  let forget: (whose: Forgotten) => void = () => {};
  const watching = createWatching({
    onMessages: () => () => {},
    onForgotten: (listener) => {
      forget = listener;
      return () => {};
    },
    mayRead: async () => true,
  });
  const ends = ["1", "2"].flatMap((userId) =>
    ["100", "101"].map((channelId) => watching.watch(at(userId), channelId, () => {})),
  );
  forget({ kind: "user", id: "1" });
  expect(watching.size).toBe(2);
  // Ended by the client, too, it is counted once.
  for (const end of ends) end();
  expect(watching.size).toBe(0);
});
