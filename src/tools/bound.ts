export type Bounded = { readonly value: unknown; readonly json: () => string } & (
  | { readonly isCut: false }
  /** `truncated` says what is missing, and is not part of the value. */
  | { readonly isCut: true; readonly truncated: string }
);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Room for the sentence that says what was left out. */
const noteBytes = 300;
/** Bytes that are enough to keep the shape of what tools give; see `boundValue`. */
export const leastBytes = 3600;
/** To what texts are cut at first, and when even that is too much; ids and times are shorter. */
const shortStrings = [80, 40] as const;
const maxRounds = 200;

/**
 * A value whose JSON, with the sentence that says what is missing, has at most `maxBytes` of UTF-8. What is too much is
 * cut within its shape, so that what is cut is still of the same schema: elements from the end of the largest list first
 * (lists have the most important first), then the ends of the longest strings, then what is left of the lists. Only what
 * has too many fields for that becomes a text, its beginning. Throws what JSON.stringify throws.
 */
export function boundValue(value: unknown, maxBytes: number): Bounded {
  // Most results are so small that it shows without writing them.
  if (left(value, maxBytes) >= 0) return { value, json: () => JSON.stringify(value), isCut: false };
  const json = JSON.stringify(value) ?? "null";
  // No character has more than three bytes for each of its units.
  if (json.length * 3 <= maxBytes || Buffer.byteLength(json) <= maxBytes)
    return { value, json: () => json, isCut: false };
  const root: { value: Json } = { value: JSON.parse(json) };
  const leftOut = new Map<string, number>();
  const room = maxBytes - noteBytes;
  for (let round = 0; round < maxRounds && bytesOf(root.value) > room; round++) {
    const over = bytesOf(root.value) - room;
    const [short, shortest] = shortStrings;
    const isLess =
      cutLargestList(root, over, 1, leftOut) ||
      cutLongestString(root, over, short) ||
      cutLargestList(root, over, 0, leftOut) ||
      cutLongestString(root, over, shortest);
    if (!isLess) return preview(json, room);
  }
  const cutJson = JSON.stringify(root.value);
  const truncated = noteOn(leftOut);
  if (Buffer.byteLength(cutJson) + Buffer.byteLength(truncated) > maxBytes) return preview(json, room);
  return { value: root.value, json: () => cutJson, isCut: true, truncated };
}

/**
 * What is certainly left of so many bytes once the value is written as JSON; less than 0 when that cannot be said:
 * it may be too large, or is no plain JSON value (and then only JSON.stringify knows what becomes of it).
 */
function left(value: unknown, bytes: number): number {
  // A unit of a string is at most \uXXXX; no number is longer than 25 characters, with its comma.
  if (typeof value === "string") return bytes - 6 * value.length - 3;
  if (typeof value === "number" || typeof value === "boolean" || value === null) return bytes - 26;
  if (typeof value !== "object") return -1;
  let rest = bytes - 3;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length && rest >= 0; at++) rest = left(value[at], rest);
    return rest;
  }
  if (!isRecord(value)) return -1;
  // Nothing is inherited that would be listed with the rest.
  for (const key in value) {
    if (rest < 0) return rest;
    rest = left(value[key], rest - 6 * key.length - 3);
  }
  return rest;
}

const isRecord = (value: object): value is Record<string, unknown> =>
  Object.getPrototypeOf(value) === Object.prototype;

function cutLargestList(
  root: { value: Json },
  over: number,
  least: number,
  left: Map<string, number>,
): boolean {
  const lists: { readonly list: Json[]; readonly path: string; readonly bytes: number }[] = [];
  walk(root.value, "", (part, path) => {
    if (Array.isArray(part) && part.length > least) lists.push({ list: part, path, bytes: bytesOf(part) });
  });
  const [first, ...others] = lists;
  if (first === undefined) return false;
  const { list, path } = others.reduce((largest, one) => (one.bytes > largest.bytes ? one : largest), first);
  let gone = 0;
  while (list.length > least && gone < over) {
    gone += bytesOf(list.pop() ?? null) + 1;
    left.set(path, (left.get(path) ?? 0) + 1);
  }
  return true;
}

function cutLongestString(root: { value: Json }, over: number, shortest: number): boolean {
  const strings: { readonly text: string; readonly put: (text: string) => void }[] = [];
  const consider = (part: Json, put: (text: string) => void) => {
    if (typeof part === "string" && part.length > shortest) strings.push({ text: part, put });
  };
  consider(root.value, (text) => {
    root.value = text;
  });
  walk(root.value, "", (part) => {
    if (typeof part !== "object" || part === null) return;
    for (const [key, item] of Object.entries(part)) {
      consider(item, (text) => {
        Object.defineProperty(part, key, { value: text });
      });
    }
  });
  const [first, ...others] = strings;
  if (first === undefined) return false;
  const { text, put } = others.reduce(
    (most, one) => (one.text.length > most.text.length ? one : most),
    first,
  );
  // Units of the string, of which each takes some bytes; never too few to get anywhere.
  const units = Math.max(16, Math.ceil((over * text.length) / bytesOf(text)) + 2);
  put(`${wholeCharacters(text.slice(0, Math.max(shortest - 16, text.length - units)))}…`);
  return true;
}

function walk(part: Json, path: string, visit: (part: Json, path: string) => void): void {
  visit(part, path);
  if (typeof part !== "object" || part === null) return;
  // Elements of a list share its path: what is left out of several is counted together.
  for (const [key, inner] of Object.entries(part))
    walk(inner, Array.isArray(part) ? path : path === "" ? key : `${path}.${key}`, visit);
}

function noteOn(left: ReadonlyMap<string, number>): string {
  const lists = [...left].map(([path, count]) => `${count} of ${path.slice(0, 60) || "the list"}`);
  const what = lists.length === 0 ? "Long texts were shortened" : `Left out: ${lists.slice(0, 3).join(", ")}`;
  return `${what}, because the result was too large. Ask for less at once to see everything.`;
}

/** When there is nothing to cut at: the beginning, as text. */
function preview(json: string, room: number): Bounded {
  // Quotes and controls are escaped again, at worst into six bytes for each.
  const value = wholeCharacters(json.slice(0, Math.max(0, Math.floor((room - 2) / 6))));
  const truncated = "The result was too large; this is its beginning, as text.";
  return { value, json: () => JSON.stringify(value), isCut: true, truncated };
}

const bytesOf = (value: Json): number => Buffer.byteLength(JSON.stringify(value));

/** Without half a surrogate pair at the end. */
function wholeCharacters(text: string): string {
  return /[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text;
}
