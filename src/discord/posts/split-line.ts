/**
 * Where to cut a line that does not fit: between words outside of links, inline code and bold; else between words; else
 * between characters, never inside a surrogate pair or a joined emoji. Returns 1 to `room`; looks at no more than `room`.
 */
export function cutLine(line: string, room: number, inCode: boolean): number {
  const least = Math.floor(room / 2);
  const { free, any } = inCode ? { free: 0, any: lastSpace(line, room) } : lastBreaks(line, room);
  if (free > least) return free;
  if (any > least) return any;
  return characterBoundary(line, room);
}

function lastSpace(line: string, room: number): number {
  const at = line.lastIndexOf(" ", room - 1);
  return at === -1 ? 0 : at + 1;
}

/** One pass over the room: the last gap between words with nothing open around it, and the last one at all. */
function lastBreaks(line: string, room: number): { free: number; any: number } {
  let free = 0;
  let any = 0;
  let code = 0;
  let isBold = false;
  let link: "none" | "text" | "address" = "none";
  for (let at = 0; at < room; at += 1) {
    const character = line[at];
    if (character === "`") {
      const run = runLength(line, at, room);
      code = code === 0 ? run : code === run ? 0 : code;
      at += run - 1;
    } else if (character === " " || character === "\t") {
      any = at + 1;
      if (link === "address") link = "none";
      if (code === 0 && !isBold && link === "none") free = at + 1;
    } else if (code > 0) {
      // Nothing has a meaning in there.
    } else if (character === "*" && line[at + 1] === "*") {
      isBold = !isBold;
      at += 1;
    } else if (character === "[" && link === "none") link = "text";
    else if (character === "]" && link === "text") link = line[at + 1] === "(" ? "address" : "none";
    else if (character === ")" && link === "address") link = "none";
  }
  return { free, any };
}

function runLength(line: string, from: number, bound: number): number {
  let end = from;
  while (end < bound && line[end] === "`") end += 1;
  return end - from;
}

const joiner = 0x200d;
/** The longest sequence that is kept together: families of emoji have eleven units, flags of regions fourteen. */
const longestSequence = 32;

function characterBoundary(line: string, room: number): number {
  const lowest = Math.max(1, room - longestSequence);
  for (let at = room; at > lowest; at -= 1) {
    if (!isInsideCharacter(line, at) && !(line[at] === "`" && line[at - 1] === "`")) return at;
  }
  return isLowSurrogate(line.charCodeAt(room)) && room > 1 ? room - 1 : room;
}

function isInsideCharacter(line: string, at: number): boolean {
  const next = line.charCodeAt(at);
  if (isLowSurrogate(next) || next === joiner || line.charCodeAt(at - 1) === joiner) return true;
  // Variation selectors, combining marks, the keycap, and skin tones (a surrogate pair that begins with D83C).
  if ((next >= 0xfe00 && next <= 0xfe0f) || (next >= 0x300 && next <= 0x36f) || next === 0x20e3) return true;
  const second = line.charCodeAt(at + 1);
  return next === 0xd83c && second >= 0xdffb && second <= 0xdfff;
}

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
