import { Type } from "typebox";
import { AppError } from "../errors.ts";
import { snowflakeAt, snowflakePattern, snowflakeTime } from "../snowflake.ts";
import { timePattern } from "./arguments.ts";

/** A Discord id among a tool's arguments. */
export const snowflake = (description: string) => Type.String({ pattern: snowflakePattern, description });

/** What is asked for by an id, a mention or a name; which of them it is, `names.ts` finds out. */
const named = (description: string) => Type.String({ minLength: 1, maxLength: 120, description });
export const channelArgument = (description: string) =>
  named(`${description} An id, a mention such as <#1>, or a name such as #general.`);
/** Which channel, or nothing for the one that the actor speaks in: its target says `absent: "own"`. */
export const channelOrOwn = (which: string) =>
  Type.Optional(channelArgument(`${which} Default: the one of this conversation.`));
export const userArgument = (description: string) =>
  named(`${description} An id, a mention such as <@1>, or a name such as @ana.`);
export const roleArgument = (description: string) => named(`${description} An id, a mention, or a name.`);
export const messageArgument = (description: string) => named(`${description} Its id, or a link to it.`);

/** Goes to Discord's audit log with who it is done for. */
export const reasonArgument = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 400,
    description: "Why, for Discord's audit log. At most 400 characters.",
  }),
);

/** How many things one page of a list has. */
export const pageSize = (what: string, bounds: { readonly most: number; readonly default: number }) =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: bounds.most,
      default: bounds.default,
      description: `How many ${what}.`,
    }),
  );

export const time = (description: string) => Type.String({ pattern: timePattern, description });

/** When the thing of that id was made, as an ISO 8601 time. */
export function madeAt(id: string): string {
  return new Date(snowflakeTime(id)).toISOString();
}

/**
 * The first id of that moment; without a time zone it is meant in UTC. Throws AppError `invalid_arguments`.
 */
export function firstIdAt(name: string, text: string): bigint {
  const zoned = /T/.test(text) && !/(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? `${text}Z` : text;
  const at = Date.parse(zoned);
  if (Number.isNaN(at)) {
    throw new AppError("invalid_arguments", `${name} is no time that exists: ${text}.`, {
      data: { path: name, problem: "is no time that exists" },
    });
  }
  return BigInt(snowflakeAt(at));
}
