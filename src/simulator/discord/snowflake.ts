/** Discord's ids: https://discord.com/developers/docs/reference#snowflakes */
const discordEpochMs = 1_420_070_400_000;

/** The lowest id of a millisecond; `step` tells ids of the same millisecond apart (0 to 4,194,303). */
export function snowflakeAt(milliseconds: number, step = 0): string {
  return String((BigInt(Math.trunc(milliseconds) - discordEpochMs) << 22n) + BigInt(step));
}

/** Milliseconds since 1970 at which an id was made. */
export function snowflakeTime(id: string): number {
  return Number(BigInt(id) >> 22n) + discordEpochMs;
}

/** Orders ids by age, without the cost of BigInt: ids have no leading zeros. */
export function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isSnowflake(value: unknown): value is string {
  return typeof value === "string" && /^[1-9][0-9]{0,19}$/.test(value);
}

/** Gives ids that only ever grow, even when the clock stands still or goes back. */
export class SnowflakeClock {
  readonly #now: () => number;
  #last = 0n;

  constructor(now: () => number) {
    this.#now = now;
  }

  next(): string {
    const earliest = BigInt(snowflakeAt(this.#now()));
    this.#last = earliest > this.#last ? earliest : this.#last + 1n;
    return String(this.#last);
  }
}
