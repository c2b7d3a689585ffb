import { expect, test } from "bun:test";
import { readIncoming } from "../../src/discord/chat/incoming.ts";
import { Marks } from "../../src/discord/chat/marks.ts";

test("a mark is an id or none: what is none keeps no other from being stored", async () => {
  const stored: (readonly [string, string])[] = [];
  const marks = new Marks({
    advance: async (all) => void stored.push(...all),
    get: async () => null,
    all: async () => [],
  });
  const ids = JSON.parse('[["newest"], {}, "newest", "", null, 7, "-1"]');
  for (const id of ids) {
    expect(() => marks.advance("1", id)).toThrow();
    expect(() => marks.advance(id, "1")).toThrow();
  }
  marks.advance("1", "5");
  await marks.flush();
  expect(stored).toEqual([["1", "5"]]);
});

const message = {
  ...{ id: "1", channel_id: "2", type: 0, author: { id: "3", username: "ana" }, content: "Hello" },
  ...{ mentions: [], mention_roles: [], attachments: [], embeds: [], timestamp: "2026-01-01T00:00:00Z" },
};

test.each([
  ["whose id is none", { id: "one" }],
  ["in no channel", { channel_id: null }],
  ["of nobody", { author: null }],
  ["with words that are none", { content: { text: "Hello" } }],
  ["that mentions in no list", { mentions: "everyone" }],
  ["in a server that is none", { guild_id: 7 }],
  ["of a member whose roles are none", { member: { roles: "all" } }],
])("a message %s is refused", (_what, part) => {
  expect(readIncoming(JSON.parse(JSON.stringify(message))).content).toBe("Hello");
  expect(() => readIncoming(JSON.parse(JSON.stringify({ ...message, ...part })))).toThrow("makes no sense");
});
