import { AppError } from "./errors.ts";

/*
 * Discord's ids: a time, and what tells apart what happened in the same millisecond;
 * https://docs.discord.com/developers/reference#snowflakes
 */

const epoch = 1_420_070_400_000;
const timeShift = 22n;

/** As people and programs write them: with the 15 to 20 digits that all real ones have. */
export const snowflakePattern = "^[0-9]{15,20}$";
const written = new RegExp(snowflakePattern);

export const isSnowflake = (text: string): boolean => written.test(text);

/** What can be stored and compared as an id; of what Discord sends no more is asked. */
export const isDecimalId = (id: unknown): id is string => typeof id === "string" && /^\d{1,20}$/.test(id);

/** The id that an address names, null when it names none. Throws AppError `invalid_data`. */
export function snowflakeIn(query: URLSearchParams, name: string): string | null {
  const text = query.get(name);
  if (text === null || isSnowflake(text)) return text;
  throw new AppError("invalid_data", `${name} must be a Discord id, 15 to 20 digits.`, {
    data: { path: name },
  });
}

/** When the thing was made, in milliseconds since 1970. */
export function snowflakeTime(id: string): number {
  return Number(BigInt(id) >> timeShift) + epoch;
}

/** The least id of that moment. */
export function snowflakeAt(time: number): string {
  return String(BigInt(Math.max(0, Math.floor(time) - epoch)) << timeShift);
}

/** They are decimal numbers without leading zeros, so the longer one is greater. */
export function isNewer(id: string, than: string): boolean {
  return id.length === than.length ? id > than : id.length > than.length;
}

export const compareSnowflakes = (a: string, b: string): number => (a === b ? 0 : isNewer(a, b) ? 1 : -1);

/** https://docs.discord.com/developers/events/gateway#sharding-sharding-formula; direct messages (null) go to shard 0. */
export function shardOf(guildId: string | null, shardCount: number): number {
  return guildId === null ? 0 : Number((BigInt(guildId) >> timeShift) % BigInt(shardCount));
}
