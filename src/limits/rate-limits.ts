import { AppError } from "../errors.ts";
import { Windows } from "./windows.ts";

/** Allowed so many times a window; windows in seconds. */
export interface Rate {
  readonly points: number;
  readonly seconds: number;
}

export interface Limit {
  /**
   * Takes one point of `key`, at once when it is counted in memory. Throws AppError `rate_limited` with retryAfterMs,
   * at once or later, when none is left.
   */
  take(key: string): void | Promise<void>;
}

export const limitNames = ["token", "address", "user", "guild", "changes"] as const;
export type LimitName = (typeof limitNames)[number];
export type Limits = Readonly<Record<LimitName, Limit>>;

const subject: Record<LimitName, string> = {
  token: "This token has made too many requests",
  address: "This address has made too many requests",
  user: "This person has sent too many messages",
  guild: "This server has sent too many messages",
  changes: "This person has changed too much at once",
};

/** `onRefused` hears of each refusal, for the metrics. Counters live in memory, and keys whose window has ended are forgotten. */
export function createLimits(
  rates: Readonly<Record<LimitName, Rate>>,
  onRefused: (name: LimitName) => void,
): Limits {
  const make = (name: LimitName, keyOf?: (key: string) => string): Limit =>
    createLimit(rates[name], subject[name], { onRefused: () => onRefused(name), ...(keyOf && { keyOf }) });
  return {
    token: make("token"),
    address: make("address", networkOf),
    user: make("user"),
    guild: make("guild"),
    changes: make("changes"),
  };
}

/** One limit; `sentence` says what was too much, without its full stop. */
export function createLimit(
  { points, seconds }: Rate,
  sentence: string,
  { onRefused, keyOf = (key) => key }: { onRefused?: () => void; keyOf?: (key: string) => string } = {},
): Limit {
  const windows = new Windows(points, seconds);
  return {
    take(key) {
      // No clock that somebody can set.
      const waitMs = windows.take(keyOf(key), performance.now());
      if (waitMs === 0) return;
      onRefused?.();
      const retryAfterMs = Math.ceil(waitMs);
      const wait = Math.ceil(retryAfterMs / 1000);
      throw new AppError("rate_limited", `${sentence}; try again in ${wait} s.`, { retryAfterMs });
    },
  };
}

/**
 * What one customer of a provider has: an IPv4 address, or all of an IPv6 /64 (RFC 6177), from which one machine
 * could otherwise come with another address, and another counter, each time. Other texts stay as they are.
 */
export function networkOf(address: string): string {
  if (!URL.canParse(`http://[${address}]`)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  // The parser writes every address in one way, with the longest run of zeros left out.
  const [head = "", tail = ""] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const [first, last] = [head, tail].map((part) => (part === "" ? [] : part.split(":")));
  const left = first ?? [];
  const right = last ?? [];
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  return `${[...left, ...zeros, ...right].slice(0, 4).join(":")}::/64`;
}
