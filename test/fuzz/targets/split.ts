import fc from "fast-check";
import { messageCharacters, splitPieces } from "../../../src/discord/posts/split.ts";
import { cutLine } from "../../../src/discord/posts/split-line.ts";
import { equal, holds } from "../holds.ts";
import { target } from "../target.ts";

/** Runs of what a splitter looks at; long ones for its bounds. */
const tokens = fc.constantFrom(
  "`",
  "``",
  "```",
  "````",
  "``````````",
  "```ts\n",
  "```\n",
  "~~~",
  "\n```",
  "*",
  "**",
  "[",
  "](",
  ")",
  "[a](b)",
  "|",
  "||",
  "\n",
  "\r\n",
  "\r",
  "\n\n",
  "\u2028",
  "\u0085",
  " ",
  "\t",
  "    ",
  "- ",
  "1. ",
  "# ",
  "> ",
  ":",
  "word",
  "é",
  "e\u0301",
  "👩‍👩‍👧‍👦",
  "😀",
  "🏽",
  "\u200d",
  "\ufe0f",
  "\u20e3",
  "\ud83d",
  "\ude00",
  "\0",
  "x".repeat(99),
  "y".repeat(1999),
  "z".repeat(2001),
  "`".repeat(700),
  "🌊".repeat(600),
);
const text = fc.oneof(
  fc.array(fc.tuple(tokens, fc.constantFrom(1, 1, 1, 2, 3, 50))).map((parts) =>
    parts
      .map(([part, times]) => part.repeat(times))
      .join("")
      .slice(0, 40_000),
  ),
  fc.array(tokens, { minLength: 20, maxLength: 200 }).map((parts) => parts.join("").slice(0, 40_000)),
  fc.string({ unit: "binary", maxLength: 5000 }),
  fc.string({ unit: "grapheme", maxLength: 3000 }),
);

const fences = (said: string): number => said.match(/`{3,}/g)?.length ?? 0;
/** Without what may go or come at a break: white space, and the backticks of a block that the break closes. */
const bare = (said: string): string => said.replaceAll(/[\s`]+/g, "");

export const split = target(
  "split",
  "every message fits and is not blank, fences are balanced, no character is cut, nothing is lost",
  300,
  () => ({
    inputs: fc.record({ text, max: fc.constantFrom(100, 101, 137, 1900, messageCharacters) }),
    check({ text: whole, max }) {
      const pieces = splitPieces(whole, max);
      for (const { opening, text: said, closing } of pieces) {
        const message = opening + said + closing;
        holds(message.length <= max, `a message of ${message.length} characters`);
        holds(message.trim() !== "", "a blank message");
        equal(fences(message) % 2, 0, "fences of a message");
        holds(message.isWellFormed() || !whole.isWellFormed(), "a surrogate pair is cut");
      }
      equal(bare(pieces.map((piece) => piece.text).join("")), bare(whole), "what is said in all");
      // Each message takes at least half of its room, apart from what blank lines and repairs take.
      const room = max - 60;
      holds(
        pieces.length <= 2 + (whole.length * 4) / room + whole.split(/[\r\n]/).length,
        `${pieces.length} messages`,
      );
      const line = whole.replaceAll(/[\r\n]/g, " ");
      if (line.length > max) {
        const cut = cutLine(line, max, false);
        holds(cut >= 1 && cut <= max, `a cut at ${cut}`);
      }
      return pieces.length < 3 ? `${pieces.length} messages` : "more messages";
    },
  }),
);
