import { describe, expect, test } from "bun:test";
import { asShown } from "../../src/cli/demo-words.ts";

const names = new Map([["1212912186163200021", "mika"]]);
const now = Date.parse("2026-11-23T12:00:00Z");
const shown = (content: string) => asShown(content, names, now);

describe("the demo's terminal shows of a message what Discord would", () => {
  test("names in place of mentions, and mentions of strangers as they are", () => {
    expect(shown("<@1212912186163200021> and <@!1212912186163200021>, not <@1>")).toBe(
      "@mika and @mika, not <@1>",
    );
  });

  test("times from now", () => {
    const at = (minutes: number) => `<t:${now / 1000 + minutes * 60}:R>`;
    expect(shown(`expires ${at(15)}`)).toBe("expires in 15 minutes");
    expect(shown(`expired ${at(-1)}`)).toBe("expired 1 minute ago");
  });

  test("characters that were escaped, once", () => {
    expect(shown("Kick \\@Benny \\(1\\) from Harbour\\? \\\\*")).toBe("Kick @Benny (1) from Harbour? \\*");
    expect(shown("C:\\new")).toBe("C:\\new");
  });

  test("small print without its mark", () => {
    expect(shown("a\n-# b\nc -# d")).toBe("a\nb\nc -# d");
  });
});
