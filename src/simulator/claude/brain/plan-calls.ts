import type { Tool } from "@anthropic-ai/sdk/resources/messages";
import { isObject, type JsonObject } from "../fields.ts";
import { idOf, type Reading } from "./reading.ts";

export interface PlannedCall {
  readonly name: string;
  readonly input: JsonObject;
}

export interface Plan {
  readonly calls: readonly PlannedCall[];
  /** Tools that the question needs and that are not offered, or whose arguments are not known. */
  readonly missing: readonly string[];
}

interface Wish {
  readonly tool: string;
  readonly values: JsonObject;
}

const maxCalls = 5;
/** An imperative: "find messages about x", "can you find x". */
const findWords =
  /^(?:.*[,:] )?\W*(?:please |can you |could you )*find (?:(?:(?:all|any|me|the|some) )*(?:(?:messages?|posts?|anything) )?(?:(?:about|with|containing|mentioning|that (?:say|mention)s?) )?)(.+)/i;
/** "call discord_x with {…}" */
const namedTool = /\b(?:call|use|run) (?:the )?(?:tool )?`?(\w{3,})`?/i;
const snowflake = /\b\d{15,20}\b/g;
/** What a tool may call the value that the brain knows under the first name. */
const aliases: readonly (readonly string[])[] = [
  ["user_id", "userId", "member_id", "user"],
  ["channel_id", "channelId", "channel"],
  ["guild_id", "guildId", "server_id", "guild"],
  ["query", "content", "text", "q", "search"],
  ["author_id", "authorId", "author", "from"],
  ["limit", "count"],
];

/** The tools that a question asks for, with arguments that fit their schemas. */
export function planCalls(reading: Reading): Plan {
  const explicit = explicitCall(reading);
  if (explicit !== null) return { calls: [explicit], missing: [] };
  const unknown = namedTool.exec(reading.question)?.[1];
  if (unknown?.startsWith("discord_")) return { calls: [], missing: [unknown] };
  const calls: PlannedCall[] = [];
  const missing: string[] = [];
  for (const wish of wishesOf(reading)) {
    const tool = reading.tools.find(({ name }) => name === wish.tool);
    const input = tool === undefined ? null : fitInput(tool, wish.values);
    if (tool === undefined || input === null) missing.push(wish.tool);
    else calls.push({ name: tool.name, input });
  }
  if (calls.length === 0 && reading.demanded !== null) calls.push(...demandedCall(reading));
  return { calls: calls.slice(0, reading.parallel ? maxCalls : 1), missing };
}

function wishesOf(reading: Reading): Wish[] {
  const { question } = reading;
  const here = {
    user_id: idOf(reading, "user_id"),
    channel_id: idOf(reading, "channel_id"),
    guild_id: idOf(reading, "guild_id"),
  };
  const channel = { ...here, channel_id: question.match(/<#(\d+)>/)?.[1] ?? here.channel_id };
  const wishes: Wish[] = peopleAskedFor(reading, here.user_id).map((userId) => ({
    tool: "discord_user_lookup",
    values: { ...here, user_id: userId },
  }));
  if (
    /\b(?:what|which|tell me about|describe)\b[^.?!]*\bchannel\b(?! history)|\bchannel info|\bwhere am i\b/i.test(
      question,
    )
  )
    wishes.push({ tool: "discord_channel_info", values: channel });
  if (
    /\bhistory\b|\bdid i miss\b|\bwhat happened\b|\bcatch me up\b|\b(?:last|recent|latest|previous|newest) (?:\d+ |few |couple of )?messages?\b|\bsummari[sz]e (?:this|the) (?:channel|conversation|chat)/i.test(
      question,
    )
  )
    wishes.push({
      tool: "discord_message_history",
      values: { ...channel, limit: Number(question.match(/\b(\d{1,3}) (?:\w+ )?messages?\b/i)?.[1] ?? 10) },
    });
  if (
    /\b(?:server|guild) (?:stats|statistics|info|details)|\bhow many (?:members|people|users|channels|roles|emojis|boosts)|\bhow (?:big|large|old) is (?:this|the) (?:server|guild)|\b(?:what|tell me about|describe)\b[^.?!]*\bthis (?:server|guild)\b|\bwho(?:'s|’s| is) online\b/i.test(
      question,
    )
  )
    wishes.push({ tool: "discord_server_stats", values: here });
  const search = searchTerm(question);
  if (search !== null)
    wishes.push({
      tool: "discord_messages_search",
      values: { ...channel, query: search, ...authorOf(question) },
    });
  return wishes;
}

function peopleAskedFor({ question, sources }: Reading, self: string | null): (string | null)[] {
  const people: (string | null)[] = [];
  if (
    /\bwho am i\b|\bmy (?:profile|account|roles?|discord|join date)\b|\babout me\b|\bwhen did i join\b/i.test(
      question,
    )
  )
    people.push(self);
  if (
    !/\bwho(?:'s|’s| is| are)\b|\blook ?up\b|\btell me about\b|\binfo(?:rmation)? (?:about|on)\b/i.test(
      question,
    )
  )
    return people;
  const ids = question.replace(/<#\d+>/g, "").match(snowflake) ?? [];
  if (ids.length > 0) return [...new Set([...people, ...ids])];
  const name = question.match(/\bwho(?:'s|’s| is) @?([\p{L}\p{N}_.-]+)\s*[?.!]*(?:$| and\b)/iu)?.[1];
  if (name === undefined || /^(?:online|here|there|this|that|he|she|it|they)$/i.test(name)) return people;
  const near = new RegExp(`@?${name.replace(/[.]/g, "\\.")}[^\\n\\d]{0,30}(\\d{15,20})`, "iu");
  const found = sources.map((source) => source.match(near)?.[1]).find((id) => id !== undefined);
  return found === undefined ? people : [...people, found];
}

function searchTerm(question: string): string | null {
  const match =
    question.match(/\bsearch\b[^.?!]*?\b(?:for|about) (.+)/i) ??
    question.match(/^\W*(?:please )?search (?:messages |the messages )?(.+)/i) ??
    question.match(findWords);
  const term = match?.[1]
    ?.split(/,? and (?=who|what|how|tell|where)/i)[0]
    ?.replace(/\b(?:from|by) <@!?\d+>/g, "")
    .replace(/\s+(?:in|on) (?:this|the) (?:channel|server)\b/i, "")
    .replace(/^["“'`]|["”'`]?[.?!]*$/g, "")
    .trim();
  return term === undefined || term === "" || /^out\b/i.test(term) ? null : term;
}

function authorOf(question: string): JsonObject {
  const author = question.match(/\b(?:from|by) <@!?(\d+)>/)?.[1];
  return author === undefined ? {} : { author_id: author };
}

/** Any tool, for trying one out. */
function explicitCall({ question, tools }: Reading): PlannedCall | null {
  const named = namedTool.exec(question)?.[1];
  const tool = tools.find(({ name }) => name === named);
  if (tool === undefined) return null;
  const json = question.match(/\{[\s\S]*\}/)?.[0];
  try {
    const input: unknown = JSON.parse(json ?? "{}");
    return { name: tool.name, input: isObject(input) ? input : {} };
  } catch {
    return { name: tool.name, input: {} };
  }
}

function demandedCall(reading: Reading): PlannedCall[] {
  const { demanded } = reading;
  const tool =
    demanded === null || demanded === "any"
      ? reading.tools[0]
      : reading.tools.find(({ name }) => name === demanded.name);
  if (tool === undefined) return [];
  const values = {
    user_id: idOf(reading, "user_id"),
    channel_id: idOf(reading, "channel_id"),
    guild_id: idOf(reading, "guild_id"),
    query: reading.question,
  };
  return [{ name: tool.name, input: fitInput(tool, values) ?? {} }];
}

/** The known values under the names that the tool's schema has for them; null when a required one is not known. */
function fitInput(tool: Tool, values: JsonObject): JsonObject | null {
  const properties = isObject(tool.input_schema.properties) ? tool.input_schema.properties : {};
  const input: JsonObject = {};
  for (const names of aliases) {
    const value = values[names[0] ?? ""];
    const property = names.find((name) => name in properties);
    if (value === undefined || value === null || property === undefined) continue;
    input[property] = typeof value === "number" ? clamp(value, properties[property]) : value;
  }
  return (tool.input_schema.required ?? []).every((name) => name in input) ? input : null;
}

function clamp(value: number, schema: unknown): number {
  if (!isObject(schema)) return value;
  const least = typeof schema.minimum === "number" ? schema.minimum : value;
  const most = typeof schema.maximum === "number" ? schema.maximum : value;
  return Math.min(Math.max(value, least), most);
}
