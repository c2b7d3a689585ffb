import { expect, test } from "bun:test";
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
