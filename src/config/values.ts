import { isIP } from "node:net";
import type { Rate } from "../limits/rate-limits.ts";
import { snowflakePattern } from "../snowflake.ts";
import { secretKeyFault } from "./secret-key-rule.ts";
import { BadPolicy } from "./tool-policy.ts";

/** A value that cannot be used; the message says what would be right. The variable's name is put before it. */
export class BadValue extends Error {}

/** One environment variable: how it reads, what it is without, and what the documentation says of it. */
export interface Variable<T> {
  readonly parse: (text: string) => T;
  readonly fallback: T;
  /** As printed in the README; "" for none. */
  readonly shown: string;
  readonly about: string;
}

export function variable<T>(
  fallback: T,
  shown: string,
  about: string,
  parse: (text: string) => T,
): Variable<T> {
  return { parse, fallback, shown, about };
}

export const optional = (
  about: string,
  parse: (text: string) => string = (text) => text,
): Variable<string | null> => variable<string | null>(null, "", about, parse);

export function integer(fallback: number, min: number, max: number, about: string): Variable<number> {
  return variable(fallback, String(fallback), about, (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new BadValue(`must be a whole number from ${min} to ${max}, not "${shorten(text)}"`);
    }
    return value;
  });
}

export function oneOf<const T extends string>(fallback: T, values: readonly T[], about: string): Variable<T> {
  return variable<T>(fallback, fallback, about, (text) => {
    const found = values.find((value) => value === text.toLowerCase());
    if (found === undefined)
      throw new BadValue(`must be one of ${values.join(", ")}, not "${shorten(text)}"`);
    return found;
  });
}

export function list(
  about: string,
  what: string,
  item: RegExp,
  fallback: readonly string[] = [],
): Variable<readonly string[]> {
  return variable(fallback, fallback.join(","), about, (text) => {
    const items = text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
    const bad = items.find((part) => !item.test(part));
    if (bad !== undefined)
      throw new BadValue(`must be a comma-separated list of ${what}; "${shorten(bad)}" is none`);
    return items;
  });
}

export function rate(points: number, seconds: number, about: string): Variable<Rate> {
  return variable({ points, seconds }, `${points}/${seconds}`, about, (text) => {
    const match = /^(\d{1,9})\/(\d{1,6})$/.exec(text);
    const parsed = { points: Number(match?.[1]), seconds: Number(match?.[2]) };
    if (!match || parsed.points === 0 || parsed.seconds === 0) {
      throw new BadValue(`must be requests/seconds, such as ${points}/${seconds}, not "${shorten(text)}"`);
    }
    return parsed;
  });
}

export function url(text: string, example: string): string {
  const parsed = URL.parse(text);
  if (!parsed || (parsed.protocol !== "http:" && parsed.protocol !== "https:")) {
    throw new BadValue(`must be an http or https address, such as ${example}`);
  }
  return text.replace(/(?<!\/)\/+$/, "");
}

export function databasePath(text: string): string {
  if (/^(postgres|postgresql|mysql|redis):/i.test(text)) {
    throw new BadValue(
      "must name an SQLite file, such as file:./data/discord-mcp.db; other databases are not supported",
    );
  }
  const path = text.replace(/^(file|sqlite):(\/\/(?=\/|\.))?/, "");
  if (path === "" || path.includes("\0") || path === ":memory:" || /^[a-z]+:\/\//i.test(path)) {
    throw new BadValue("must name an SQLite file, such as file:./data/discord-mcp.db");
  }
  return path;
}

export function networks(text: string): readonly string[] {
  const items = text.split(",").flatMap((part) => part.trim() || []);
  const bad = items.find((item) => !isNetwork(item));
  if (bad === undefined) return items;
  throw new BadValue(
    `must be a comma-separated list of addresses and networks, such as 127.0.0.1,10.0.0.0/8; "${shorten(bad)}" is none`,
  );
}

/** All addresses there are is no network: it would believe whoever comes. */
function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  if (most === 0 || more.length > 0 || address.includes("%")) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most);
}

export function secretKey(text: string): string {
  const fault = secretKeyFault(text);
  if (fault !== null) throw new BadValue(fault);
  return text;
}

export function policy<T>(text: string, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof BadPolicy) throw new BadValue(error.message);
    throw error;
  }
}

/** Secrets can stand here by mistake, so an error quotes a few characters only. */
const shorten = (text: string): string => (text.length > 24 ? `${text.slice(0, 24)}…` : text);

export const ids = (whose: string): Variable<readonly string[]> =>
  list(
    `Ids of the ${whose}; empty means all.`,
    "Discord ids (15 to 20 digits)",
    new RegExp(snowflakePattern),
  );
