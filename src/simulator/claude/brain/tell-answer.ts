import { isObject, type JsonObject } from "../fields.ts";
import { jsonIn } from "./json-in-text.ts";
import type { ToolAnswer } from "./reading.ts";

const maxLines = 15;
const maxText = 240;

/** Tells a tool's result in a few readable lines. */
export function tellAnswer({ toolName, text, isError }: ToolAnswer): string {
  if (isError) return `I could not use \`${toolName}\`: ${shorten(reasonOf(text))}`;
  const value = jsonIn(text);
  if (value === null) return `\`${toolName}\` answered: ${shorten(withoutTags(text)) || "nothing"}`;
  const messages = messagesIn(value);
  if (messages !== null) return tellMessages(messages);
  switch (toolName) {
    case "discord_user_lookup":
      return tellUser(value);
    case "discord_channel_info":
      return tellChannel(value);
    default:
      return tellFields(value, toolName === "discord_server_stats" ? "About this server" : `\`${toolName}\``);
  }
}

function tellUser(value: JsonObject): string {
  const name = find(value, ["nick", "nickname", "display_name", "global_name", "username", "name"]);
  const username = find(value, ["username"]);
  const roles = listOf(find(value, ["roles"]));
  return sentence(`**${String(name ?? "That person")}**`, [
    username === null || username === name ? null : `username ${String(username)}`,
    labelled("id", find(value, ["user_id", "id"])),
    find(value, ["bot", "is_bot"]) === true ? "a bot" : null,
    labelled("joined", find(value, ["joined_at", "joined"])),
    labelled("account made", find(value, ["created_at", "created"])),
    roles.length === 0 ? null : `roles: ${roles.join(", ")}`,
  ]);
}

function tellChannel(value: JsonObject): string {
  return sentence(
    `This is **#${String(find(value, ["name", "channel_name"]) ?? "a channel without a name")}**`,
    [
      labelled("type", find(value, ["type_name", "type"])),
      labelled("topic", find(value, ["topic"])),
      labelled("id", find(value, ["channel_id", "id"])),
      labelled("category", find(value, ["category", "parent_name", "category_name"])),
      labelled(
        "slow mode in seconds",
        find(value, ["rate_limit_per_user", "slowmode_seconds", "slow_mode_seconds"]),
      ),
      labelled("made", find(value, ["created_at"])),
    ],
  );
}

function tellMessages(messages: readonly JsonObject[]): string {
  if (messages.length === 0) return "I found no messages.";
  const lines = messages.slice(0, maxLines).map((message) => {
    const author = isObject(message.author)
      ? find(message.author, ["display_name", "nick", "global_name", "username", "name", "id"])
      : (message.author ?? find(message, ["author_name", "username", "author_id"]));
    const at = find(message, ["timestamp", "created_at", "sent_at"]);
    const content = find(message, ["content", "text"]);
    return `- **${String(author ?? "someone")}**${at === null ? "" : ` (${String(at)})`}: ${shorten(String(content || "(no text)"))}`;
  });
  const more = messages.length > lines.length ? [`- … and ${messages.length - lines.length} more`] : [];
  return [`I found ${messages.length} message${messages.length === 1 ? "" : "s"}:`, ...lines, ...more].join(
    "\n",
  );
}

function tellFields(value: JsonObject, title: string): string {
  const lines = flatten(value, "").slice(0, maxLines);
  return lines.length === 0 ? `${title}: nothing.` : [`${title}:`, ...lines].join("\n");
}

function flatten(value: JsonObject, prefix: string): string[] {
  return Object.entries(value).flatMap(([key, field]) => {
    const label = `${prefix}${key.replaceAll("_", " ")}`;
    if (field === null || field === undefined || field === "") return [];
    if (isObject(field)) return prefix.split(", ").length > 2 ? [] : flatten(field, `${label}, `);
    if (Array.isArray(field)) {
      const items = listOf(field);
      return items.length === 0 ? [] : [`- ${label}: ${shorten(items.join(", "))}`];
    }
    return [`- ${label}: ${shorten(String(field))}`];
  });
}

/** The first field of one of these names, names in order, outer objects before inner ones. */
function find(value: JsonObject, names: readonly string[]): unknown {
  for (const name of names) {
    let level: JsonObject[] = [value];
    for (let depth = 0; depth < 3 && level.length > 0; depth++) {
      const holder = level.find((object) => object[name] !== undefined && object[name] !== null);
      if (holder !== undefined && !isObject(holder[name])) return holder[name];
      level = level.flatMap((object) => Object.values(object).filter(isObject));
    }
  }
  return null;
}

function messagesIn(value: JsonObject): JsonObject[] | null {
  for (const key of ["messages", "results", "items"]) {
    const list = value[key];
    if (Array.isArray(list)) return list.flat().filter(isObject);
  }
  return null;
}

function listOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value
    .slice(0, maxLines)
    .map((item) =>
      String(isObject(item) ? (find(item, ["name", "username", "id"]) ?? JSON.stringify(item)) : item),
    );
}

function labelled(label: string, value: unknown): string | null {
  return value === null || value === "" ? null : `${label}: ${shorten(String(value))}`;
}

function sentence(head: string, parts: readonly (string | null)[]): string {
  const given = parts.filter((part) => part !== null);
  return given.length === 0 ? `${head}.` : `${head} – ${given.join("; ")}.`;
}

function reasonOf(text: string): string {
  const value = jsonIn(text);
  const reason = value === null ? null : find(value, ["message", "error", "reason"]);
  return reason === null ? withoutTags(text) : String(reason);
}

function withoutTags(text: string): string {
  return text.replace(/<\/?[a-z][\w-]*\b[^>]*>/gi, "").trim();
}

export function shorten(text: string, length = maxText): string {
  const characters = [...text.replace(/\s+/g, " ").trim()];
  return characters.length <= length ? characters.join("") : `${characters.slice(0, length - 1).join("")}…`;
}
