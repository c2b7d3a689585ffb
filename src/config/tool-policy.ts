import { isSnowflake } from "../snowflake.ts";

/** What an operator allows tools to do: for the deployment, and for a server where it differs there. */
export interface ToolPolicy {
  /**
   * What is switched on: kinds (`read`, `write`, `destroy`), families (`messages`), both (`members:write`), names of
   * tools, `all`, `none`, or `reply`: answering and reacting in the channel that the person speaks in.
   */
  readonly tools: readonly string[];
  /** Whether what writes asks first. What destroys always does. */
  readonly writes: "ask" | "run";
  /** What becomes of an answer that rests on more than its channel may read. */
  readonly privateAnswers: "ask" | "direct";
  /** The operator vouches that whoever moderates uses two-factor authentication, which Discord does not tell. */
  readonly moderatorsUse2fa: boolean;
  /** Whom the bot writes a direct message to on somebody's behalf: that person alone, or any member. */
  readonly directMessages: "self" | "members";
}

/** Thrown for a policy that cannot be used; the message says what would be right. */
export class BadPolicy extends Error {}

const word = /^(?:[a-z]+(?::(?:read|write|destroy))?|discord_[a-z0-9_]+)$/;
export const toolWords = "kinds, families, family:kind, names of tools, reply, all or none";

export function readToolWords(text: string): readonly string[] {
  const words = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const bad = words.find((one) => !word.test(one));
  if (bad !== undefined) throw new BadPolicy(`"${bad.slice(0, 24)}" is none of ${toolWords}`);
  return words;
}

/**
 * Reads `{"SERVER_ID": {"tools": "read,reply", "writes": "ask", "private_answers": "direct", "moderators_use_2fa":
 * true, "direct_messages": "members"}, …}`; every field may be left out. Throws BadPolicy.
 */
export function readGuildPolicies(text: string): Readonly<Record<string, Partial<ToolPolicy>>> {
  const guilds = asObject(parse(text), "it");
  return Object.fromEntries(
    Object.entries(guilds).map(([guildId, fields]) => {
      if (!isSnowflake(guildId)) throw new BadPolicy(`"${guildId.slice(0, 24)}" is no id of a server`);
      return [guildId, readPolicy(asObject(fields, guildId), guildId)];
    }),
  );
}

function readPolicy(fields: Readonly<Record<string, unknown>>, where: string): Partial<ToolPolicy> {
  const known = ["tools", "writes", "private_answers", "moderators_use_2fa", "direct_messages"];
  const stranger = Object.keys(fields).find((name) => !known.includes(name));
  if (stranger !== undefined)
    throw new BadPolicy(
      `${where} has an unknown field "${stranger.slice(0, 40)}"; known are ${known.join(", ")}`,
    );
  const { tools, writes, private_answers, moderators_use_2fa, direct_messages } = fields;
  return {
    ...(tools === undefined ? {} : { tools: readToolWords(wordsOf(tools, where)) }),
    ...(writes === undefined ? {} : { writes: oneOf(writes, ["ask", "run"], `${where}.writes`) }),
    ...(private_answers === undefined
      ? {}
      : { privateAnswers: oneOf(private_answers, ["ask", "direct"], `${where}.private_answers`) }),
    ...(moderators_use_2fa === undefined
      ? {}
      : { moderatorsUse2fa: oneOf(moderators_use_2fa, [true, false], `${where}.moderators_use_2fa`) }),
    ...(direct_messages === undefined
      ? {}
      : { directMessages: oneOf(direct_messages, ["self", "members"], `${where}.direct_messages`) }),
  };
}

function wordsOf(tools: unknown, where: string): string {
  if (typeof tools === "string") return tools;
  if (Array.isArray(tools) && tools.every((one) => typeof one === "string")) return tools.join(",");
  throw new BadPolicy(`${where}.tools must be a text or a list of ${toolWords}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadPolicy('must be JSON, such as {"300000000000000001": {"tools": "read,reply,members"}}');
  }
}

function asObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value));
  throw new BadPolicy(`${what} must be a JSON object`);
}

function oneOf<const Value>(value: unknown, values: readonly Value[], what: string): Value {
  const found = values.find((one) => one === value);
  if (found === undefined)
    throw new BadPolicy(`${what} must be one of ${values.map((one) => JSON.stringify(one)).join(", ")}`);
  return found;
}
