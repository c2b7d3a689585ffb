import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { AppError } from "../errors.ts";

/** Allowed so many times a window; windows in seconds. */
export interface Rate {
  readonly points: number;
  readonly seconds: number;
}

export interface Limit {
  /** Takes one point of `key`. Throws AppError `rate_limited` with retryAfterMs when none is left. */
  take(key: string): Promise<void>;
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

/** Counters that a limit holds at most: above what one machine is asked by in a minute, and some 30 MB. */
const maxKeys = 100_000;

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

/** One limit; `sentence` says what was too much, without its full stop; `most` is how many keys are counted at once. */
export function createLimit(
  { points, seconds: duration }: Rate,
  sentence: string,
  {
    onRefused,
    keyOf = (key) => key,
    most = maxKeys,
  }: { onRefused?: () => void; keyOf?: (key: string) => string; most?: number } = {},
): Limit {
  const limiter = new RateLimiterMemory({ points, duration });
  /** In the order in which their windows began; of some, the window has ended. */
  const begun = new Set<string>();

  /**
   * Above the bound the key that would end first begins anew: whoever has so many keys has the points of all of them, and
   * gains nothing by that.
   */
  async function remember(key: string): Promise<void> {
    begun.delete(key);
    begun.add(key);
    const [oldest] = begun;
    if (begun.size <= most || oldest === undefined) return;
    begun.delete(oldest);
    await limiter.delete(oldest);
  }

  return {
    async take(key) {
      const counted = keyOf(key);
      try {
        const { isFirstInDuration } = await limiter.consume(counted);
        if (isFirstInDuration) await remember(counted);
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        onRefused?.();
        const retryAfterMs = Math.max(1, refusal.msBeforeNext);
        const wait = Math.ceil(retryAfterMs / 1000);
        throw new AppError("rate_limited", `${sentence}; try again in ${wait} s.`, { retryAfterMs });
      }
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
