import type { Reading } from "./reading.ts";

const namePattern = "[\"“'*]*(\\p{L}[\\p{L}\\p{M}'’-]*(?: \\p{Lu}[\\p{L}\\p{M}'’-]*){0,2})";
const saidNamePatterns = [
  new RegExp(`\\b[Mm]y name(?:'s|’s| is) ${namePattern}`, "u"),
  new RegExp(`\\b[Tt]he person(?:'s|’s) name is ${namePattern}`, "u"),
  new RegExp(`\\b[Cc]all me ${namePattern}`, "u"),
  /\bI(?:'m|’m| am) (\p{Lu}\p{Ll}[\p{L}'’-]*)(?=[.,!;]|\s*$| and\b)/u,
];
const preferredName = [
  new RegExp(`\\b[Cc]all (?:them|him|her|the (?:person|user)|this (?:person|user))[:]? ${namePattern}`, "u"),
  new RegExp(`\\b(?:[Ww]ants?|[Ll]ikes?|[Pp]refers?|[Aa]sks?) to be called[:]? ${namePattern}`, "u"),
  new RegExp(`\\b[Aa]ddress (?:them|the (?:person|user)) (?:as|by)(?: the name)? ${namePattern}`, "u"),
  new RegExp(`\\b(?:[Pp]referred|[Nn]ick) ?name(?: is|:) ${namePattern}`, "u"),
  new RegExp(`\\b[Nn]ame to (?:be called by|call them by|use)(?: is|:) ${namePattern}`, "u"),
  new RegExp(`^[-*\\s]*"?[Nn]ame"?: ${namePattern}`, "mu"),
];

/** What the person said their name is, the latest word first. */
export function saidName(reading: Reading): string | null {
  return firstMatch(reading.sources, saidNamePatterns);
}

/** What to call the person: their preference, else what they said. */
export function nameToUse(reading: Reading): string | null {
  return firstMatch(reading.sources, preferredName) ?? saidName(reading);
}

export function nameIn(text: string): string | null {
  return firstMatch([text], saidNamePatterns);
}

/** What the person asked to have remembered, oldest first. */
export function remembered(reading: Reading): string[] {
  const found = [...reading.sources].reverse().flatMap((source) => source.split("\n").flatMap(memoriesIn));
  return [...new Set(found)];
}

/** "Remember that the launch is on Friday." → "the launch is on Friday" */
export function memoriesIn(text: string): string[] {
  return sentencesOf(text).flatMap((sentence) => {
    const match = sentence.match(
      /^(?:[-*] )?(?:.{0,20}[,:] )?(?:(?:please|can you|could you) )*(?:remember|note|to remember|keep in mind)(?: that\b|:)? (.+?)[.!]*$/i,
    );
    return match?.[1] === undefined || sentence.endsWith("?") ? [] : [match[1]];
  });
}

/** The answer to "what is my <thing>?", from "my <thing> is …". */
export function rememberedValue(reading: Reading, thing: string): string | null {
  const escaped = thing.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`\\bmy ${escaped}(?:'s|’s| is| are) ([^.!?\\n]{1,120})`, "i");
  return firstMatch(
    reading.sources.map((source) => source.replace(/\bwhat(?:'s|’s| is| are) my\b/gi, "")),
    [pattern],
  );
}

export function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}

function firstMatch(sources: readonly string[], patterns: readonly RegExp[]): string | null {
  for (const source of sources) {
    for (const pattern of patterns) {
      const found = source.match(pattern)?.[1]?.trim();
      if (found !== undefined && found !== "") return found;
    }
  }
  return null;
}
