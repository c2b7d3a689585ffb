import { isObject, type JsonObject } from "../fields.ts";

const maxStarts = 50;

/**
 * The first JSON object or array inside a text that may surround it with delimiters and notes.
 * An array comes as `{ items }`. Null when there is none, or when it was cut.
 */
export function jsonIn(text: string): JsonObject | null {
  let from = 0;
  for (let tries = 0; tries < maxStarts; tries++) {
    const start = text.slice(from).search(/[{[]/);
    if (start < 0) return null;
    const end = endOf(text, from + start);
    const value = end < 0 ? null : parse(text.slice(from + start, end));
    if (value !== null) return value;
    from += start + 1;
  }
  return null;
}

/** The index after the bracket that closes the one at `start`; -1 when none does. */
function endOf(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

function parse(json: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(json);
    if (Array.isArray(value)) return value.some(isObject) ? { items: value } : null;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
