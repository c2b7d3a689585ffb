import { cutLine } from "./split-line.ts";

/** Characters of one message, https://discord.com/developers/docs/resources/message#create-message */
export const messageCharacters = 2000;

const closingFence = "\n```";
/** A longer name after the backticks is no language, and would eat the room of what it opens. */
const maxLanguage = 20;

/** One message: what it says, and what was put around it so that a code block that is cut stays one. */
export interface Piece {
  readonly opening: string;
  readonly text: string;
  readonly closing: string;
}

/**
 * Splits an answer into messages of at most `max` UTF-16 units, which is never more than Discord counts.
 * Breaks between paragraphs, list items and lines rather than inside them, closes a code block at a break and opens it
 * again with its language, and never cuts a surrogate pair. Takes linear time. No message is blank.
 */
export function splitMessage(text: string, max: number = messageCharacters): readonly string[] {
  return splitPieces(text, max).map(({ opening, text: said, closing }) => opening + said + closing);
}

/** As `splitMessage`, with the repairs apart. `max` is at least 100. */
export function splitPieces(text: string, max: number = messageCharacters): readonly Piece[] {
  const queue = new Lines(text.replaceAll(/\r\n?/g, "\n").split("\n"));
  const pieces: Piece[] = [];
  let language: string | null = null;
  while (!queue.isEmpty) {
    const opening = language === null ? "" : `\`\`\`${language}\n`;
    const lines = fill(queue, max - opening.length, language);
    const after = fenceAfter(lines.join("\n"), language);
    const said = trimmed(lines, language !== null);
    // Nothing but the closing line of a block that the piece before has closed already.
    const isRest = language !== null && after === null && /^\s*`{3,}\s*$/.test(said);
    if (said.trim() !== "" && !isRest) {
      pieces.push({ opening, text: said, closing: after === null ? "" : closingFence });
    }
    language = after;
  }
  return pieces;
}

/** Lines still to be said; what does not fit is put back in front. */
class Lines {
  readonly #lines: string[];
  #next = 0;
  #returned: string[] = [];

  constructor(lines: string[]) {
    this.#lines = lines;
  }

  get isEmpty(): boolean {
    return this.#returned.length === 0 && this.#next >= this.#lines.length;
  }

  take(): string {
    const returned = this.#returned.pop();
    if (returned !== undefined) return returned;
    const line = this.#lines[this.#next] ?? "";
    this.#next += 1;
    return line;
  }

  putBack(lines: readonly string[]): void {
    for (let at = lines.length - 1; at >= 0; at -= 1) this.#returned.push(lines[at] ?? "");
  }
}

/** Takes lines until no more fit, then gives back those behind the best place for a break. */
function fill(queue: Lines, room: number, opened: string | null): string[] {
  const lines: string[] = [];
  const states: (string | null)[] = [];
  let language = opened;
  let used = 0;
  while (!queue.isEmpty) {
    const line = queue.take();
    const length = used + line.length + (lines.length > 0 ? 1 : 0);
    // Its length comes first: looking through the whole of an endless line for each message would take quadratic time.
    const after = length > room ? null : fenceAfter(line, language);
    if (length + (after === null ? 0 : closingFence.length) > room) {
      queue.putBack([line]);
      break;
    }
    used = length;
    lines.push(line);
    states.push(after);
    language = after;
  }
  if (queue.isEmpty) return lines;
  // A line that is too long is cut with all the room that a message has: what blank lines leave can be less than a character.
  if (lines.length === 0) return cutLongLine(queue, room, language);
  if (lines.join("").trim() === "") return lines;
  const keep = bestBreak(lines, states, used);
  queue.putBack(lines.slice(keep));
  return lines.slice(0, keep);
}

function cutLongLine(queue: Lines, room: number, language: string | null): string[] {
  const line = queue.take();
  const budget = Math.max(1, room - closingFence.length);
  if (line.length <= budget) return [line];
  const at = cutLine(line, budget, language !== null);
  queue.putBack([line.slice(at)]);
  return [line.slice(0, at)];
}

const startsBlock = /^\s{0,8}(?:[-*+•]\s|\d{1,4}[.)]\s|#{1,6}\s|>\s|`{3,})/;

/** How many of the lines to keep. At least half of the room stays used, which is what bounds the work. */
function bestBreak(lines: readonly string[], states: readonly (string | null)[], used: number): number {
  let best = lines.length;
  let bestScore = -1;
  let length = used;
  for (let keep = lines.length; keep > 0 && length >= used / 2; keep -= 1) {
    const score = breakScore(lines, states, keep);
    if (score > bestScore) {
      best = keep;
      bestScore = score;
    }
    length -= (lines[keep - 1]?.length ?? 0) + 1;
  }
  return best;
}

function breakScore(lines: readonly string[], states: readonly (string | null)[], keep: number): number {
  const before = lines[keep - 1] ?? "";
  const next = lines[keep];
  if ((states[keep - 1] ?? null) !== null) return 0;
  if (before.trim() === "" || next?.trim() === "") return 3;
  // A heading, or what introduces a list, stays with what follows it.
  if (/^#{1,6}\s/.test(before) || (before.endsWith(":") && !startsBlock.test(before))) return 1;
  if (next !== undefined && startsBlock.test(next)) return 2;
  return 1;
}

/** Leading blank lines and trailing white space go: Discord cuts them off anyway. Indentation of the first line stays in code. */
function trimmed(lines: readonly string[], inCode: boolean): string {
  const text = lines.join("\n");
  return inCode ? text.trimEnd() : text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
}

/** The language of the code block that is open after a text ("" when it has none), or null outside of one. */
export function fenceAfter(text: string, before: string | null): string | null {
  let state = before;
  let at = text.indexOf("```");
  while (at !== -1) {
    let end = at + 3;
    while (text[end] === "`") end += 1;
    state = state === null ? languageAt(text, end) : null;
    at = text.indexOf("```", end);
  }
  return state;
}

function languageAt(text: string, from: number): string {
  const match = /^[\w+#.-]*/.exec(text.slice(from, from + maxLanguage + 1))?.[0] ?? "";
  const next = text[from + match.length];
  return match.length <= maxLanguage && (next === undefined || next === "\n") ? match : "";
}
