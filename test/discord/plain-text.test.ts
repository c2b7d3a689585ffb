import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { plainText } from "../../src/discord/posts/plain-text.ts";

describe("others' words", () => {
  test.each([
    ["**bold** _x_ ~~y~~ ||z||", "\\*\\*bold\\*\\* \\_x\\_ \\~\\~y\\~\\~ \\|\\|z\\|\\|"],
    ["`code` ```js", "\\`code\\` \\`\\`\\`js"],
    ["<@1> <@&2> <#3> <t:1:R> <:a:4>", "\\<\\@1\\> \\<\\@&2\\> \\<\\#3\\> \\<t\\:1\\:R\\> \\<\\:a\\:4\\>"],
    ["@everyone https://evil.example discord.gg/x", "\\@everyone https\\://evil\\.example discord\\.gg/x"],
    ["a\n> b\r\n# c\u2028-# d", "a \\> b \\# c -\\# d"],
    ["- item", "\\- item"],
    ["1. item", "1\\. item"],
    ["back\\slash", "back\\\\slash"],
    ["\u202eevil\u0000", "evil"],
  ])("%p are shown as they are", (words, shown) => {
    expect(plainText(words, 1000)).toBe(shown);
  });

  test("are cut at the limit, never in the middle of a character or of an escape", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.integer({ min: 2, max: 40 }),
        (words, max) => {
          const shown = plainText(words, max);
          expect(shown.length).toBeLessThanOrEqual(max);
          expect(shown.isWellFormed()).toBe(true);
          expect(shown.replaceAll(/\\./gu, "")).not.toMatch(/[\\`*_~|<>@#:[\]()\n]/);
        },
      ),
      // The generator of whole Unicode is what takes the time.
      { numRuns: 50 },
    );
  });
});
