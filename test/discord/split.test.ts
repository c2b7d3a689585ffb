import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { messageCharacters, splitMessage, splitPieces } from "../../src/discord/posts/split.ts";

const fences = (text: string): number => text.match(/`{3,}/g)?.length ?? 0;
const bare = (text: string): string => text.replaceAll(/\s+/g, "");

/** Texts that look like answers, and texts that are meant to hurt. */
const words = fc.constantFrom(
  "word",
  "a longer sentence with words.",
  "- item",
  "1. first",
  "# Heading",
  "```",
  "```ts",
  "```python",
  "`code`",
  "[a link](https://example.org/a/path?with=query)",
  "**bold text**",
  "https://example.org/",
  "👩‍👩‍👧‍👦",
  "😀",
  "é",
  "[",
  "(",
  "`",
  "*",
  "x".repeat(300),
  "y".repeat(2500),
  "🌊".repeat(700),
  "> quote",
  "| a | b |",
);
const answers = fc
  .array(fc.tuple(words, fc.constantFrom(" ", "\n", "\n\n", "", "\r\n", "    ")), { maxLength: 120 })
  .map((parts) => parts.map(([word, gap]) => word + gap).join(""));
const texts = fc.oneof(
  answers,
  fc.string({ unit: "binary", maxLength: 6000 }),
  fc.string({ unit: "grapheme", maxLength: 3000 }),
);

describe("splitMessage", () => {
  test("keeps a short text as it is", () => {
    expect(splitMessage("Hello\n\n- a\n- b")).toEqual(["Hello\n\n- a\n- b"]);
  });

  test("has nothing to say about blank text", () => {
    expect(splitMessage(" \n\t\n ")).toEqual([]);
    expect(splitMessage("")).toEqual([]);
  });

  test("property: every message fits, is not blank, has balanced fences, and nothing is lost", () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(100, 300, messageCharacters), (text, max) => {
        const pieces = splitPieces(text, max);
        for (const { opening, text: said, closing } of pieces) {
          const message = opening + said + closing;
          expect(message.length).toBeLessThanOrEqual(max);
          expect(message.trim()).not.toBe("");
          expect(fences(message) % 2).toBe(0);
        }
        const together = bare(pieces.map((piece) => piece.text).join(""));
        // The closing line of a block may go where the break before has closed it already.
        expect(together.replaceAll("`", "")).toBe(bare(text).replaceAll("`", ""));
      }),
      { numRuns: 400 },
    );
  });

  test("property: a whole surrogate pair stays whole", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 4000 }), (text) => {
        for (const message of splitMessage(text, 100)) expect(message.isWellFormed()).toBe(true);
      }),
    );
  });

  test("cuts no character where blank lines leave room for half of it", () => {
    for (const blank of [98, 99, 100]) expect(splitMessage(`${"\n".repeat(blank)}🏽`, 100)).toEqual(["🏽"]);
    const flags = "🇮🇸".repeat(60);
    expect(splitMessage(`${"\n".repeat(97)}${flags}`, 100).join("")).toBe(flags);
    for (const message of splitMessage(`${"\n".repeat(97)}${flags}`, 100))
      expect(message.isWellFormed()).toBe(true);
  });

  test("closes a code block at the break and opens it again with its language", () => {
    const code = Array.from({ length: 120 }, (_, at) => `const value${at} = compute(${at});`).join("\n");
    const messages = splitMessage(`Here:\n\n\`\`\`ts\n${code}\n\`\`\`\n\nDone.`);
    expect(messages.length).toBeGreaterThan(1);
    expect(messages[0]?.endsWith("\n```")).toBe(true);
    for (const message of messages.slice(1)) expect(message.startsWith("```ts\n")).toBe(true);
    expect(messages.at(-1)?.endsWith("Done.")).toBe(true);
  });

  test("keeps a short code block whole rather than cutting it", () => {
    const text = `${"Words of prose. ".repeat(80)}\n\n\`\`\`sh\n${"echo hello\n".repeat(80)}\`\`\``;
    const messages = splitMessage(text);
    expect(messages).toHaveLength(2);
    expect(messages[0]).not.toContain("```");
    expect(messages[1]?.startsWith("```sh\necho hello")).toBe(true);
  });

  test("breaks between list items, not inside them", () => {
    const items = Array.from(
      { length: 60 },
      (_, at) => `- item ${at} ${"text ".repeat(10)}\n  more of item ${at}`,
    );
    const messages = splitMessage(items.join("\n"));
    expect(messages.length).toBeGreaterThan(1);
    for (const message of messages) {
      expect(message.startsWith("- item")).toBe(true);
      expect(message).toMatch(/more of item \d+$/);
    }
  });

  test("cuts a long line beside links, inline code and bold", () => {
    const sentence =
      "see [the whole documentation page](https://example.org/very/long/path) and `some inline code` or **what is bold** now ";
    for (const message of splitMessage(sentence.repeat(60))) {
      expect(
        message.match(/\[the whole documentation page\]\(https:\/\/example\.org\/very\/long\/path\)/g)
          ?.length ?? 0,
      ).toBe(message.match(/\[/g)?.length ?? 0);
      expect((message.match(/`/g)?.length ?? 0) % 2).toBe(0);
      expect((message.match(/\*\*/g)?.length ?? 0) % 2).toBe(0);
    }
  });

  test("takes linear time on hostile input", () => {
    const hostile = [
      "[".repeat(800_000),
      "`".repeat(800_000),
      "``` ".repeat(200_000),
      "\n".repeat(800_000),
      "[a](".repeat(200_000),
      "** ".repeat(280_000),
      "```\n".repeat(200_000),
    ];
    const time = (text: string): number => {
      const begun = Bun.nanoseconds();
      splitMessage(text);
      return (Bun.nanoseconds() - begun) / 1e6;
    };
    for (const text of hostile) {
      const part = text.slice(0, text.length / 8);
      time(part);
      const once = Math.min(time(part), time(part), time(part));
      // Eight times the text: linear work takes eight times as long, quadratic work 64 times.
      const all = Math.min(time(text), time(text));
      expect(all).toBeLessThan(once * 30 + 20);
    }
  });
});
