import type { MessageCreateParams, Tool } from "@anthropic-ai/sdk/resources/messages";
import { isDeferred, loadedBy, offersSearch } from "../tool-search.ts";

export interface ToolAnswer {
  readonly toolName: string;
  readonly text: string;
  readonly isError: boolean;
}

/** What the brain makes of a request. */
export interface Reading {
  readonly system: string;
  /** The last thing that the person wrote, without what surrounds it. */
  readonly question: string;
  /** What the person wrote before that, oldest first. */
  readonly said: readonly string[];
  /** Everything that may tell about the person, newest first: messages as they are, then the system prompt. */
  readonly sources: readonly string[];
  /** The results that this request brings back; empty when it brings a question. */
  readonly answers: readonly ToolAnswer[];
  /** Tools that may be called now, those included that have to be searched for first. */
  readonly tools: readonly Tool[];
  /** Names of the deferred ones that no search has brought up. */
  readonly unloaded: ReadonlySet<string>;
  /** The tool that must be called, when the request demands one. */
  readonly demanded: "any" | { readonly name: string } | null;
  readonly parallel: boolean;
}

type Message = MessageCreateParams["messages"][number];

export function readRequest(request: MessageCreateParams): Reading {
  const system = textOf(request.system ?? []);
  const users = request.messages.filter((message) => message.role === "user");
  const raw = users.map((message) => textOf(message.content)).filter((value) => value !== "");
  const said = users.map(wordsOf).filter((value) => value !== "");
  const choice = request.tool_choice;
  return {
    system,
    question: said.at(-1) ?? "",
    said: said.slice(0, -1),
    sources: [...raw.reverse(), system],
    answers: answersOf(request.messages),
    tools: choice?.type === "none" ? [] : (request.tools ?? []).filter(isClientTool),
    unloaded: unloadedIn(request),
    demanded: choice?.type === "any" ? "any" : choice?.type === "tool" ? { name: choice.name } : null,
    parallel: choice === undefined || choice.type === "none" || choice.disable_parallel_tool_use !== true,
  };
}

/** The id that a line such as `- channel_id: 123` gives, the latest message first. */
export function idOf(reading: Reading, key: "user_id" | "channel_id" | "guild_id"): string | null {
  const pattern = new RegExp(`(?<![A-Za-z_])${key}["'\`*]*\\s*[:=]\\s*["'\`*]*(\\d{1,20})\\b`, "i");
  for (const source of reading.sources) {
    const found = source.match(pattern)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}

export function textOf(content: string | readonly object[]): string {
  if (typeof content === "string") return content;
  return content
    .map((block) => ("type" in block && block.type === "text" && "text" in block ? String(block.text) : ""))
    .filter((text) => text !== "")
    .join("\n");
}

function unloadedIn({ tools = [], messages }: MessageCreateParams): ReadonlySet<string> {
  const loaded = loadedBy(messages);
  const deferred = tools.filter(isClientTool).filter((tool) => isDeferred(tool) && !loaded.has(tool.name));
  return new Set(!offersSearch(tools) ? [] : deferred.map(({ name }) => name));
}

function isClientTool(tool: object): tool is Tool {
  return "input_schema" in tool;
}

/** The person's own words: the last text block, without marked-up context and lines of ids. */
function wordsOf(message: Message): string {
  const { content } = message;
  const texts = (typeof content === "string" ? [content] : content.map((block) => textOf([block]))).filter(
    (text) => text.trim() !== "",
  );
  const last = texts.at(-1) ?? "";
  const outside = last.replace(/<([a-z][\w-]*)\b[^>]*>[\s\S]*?<\/\1[^>]*>/gi, "");
  return withoutIdLines(outside.trim() === "" ? last.replace(/<\/?[a-z][\w-]*\b[^>]*>/gi, "") : outside);
}

function withoutIdLines(text: string): string {
  return text.replace(/^[-*\s]*[a-z_]+_id:\s*\d+\s*$/gim, "").trim();
}

function answersOf(messages: readonly Message[]): ToolAnswer[] {
  const last = messages.at(-1);
  if (last?.role !== "user" || typeof last.content === "string") return [];
  const names = new Map<string, string>();
  for (const { role, content } of messages) {
    if (role !== "assistant" || typeof content === "string") continue;
    for (const block of content) if (block.type === "tool_use") names.set(block.id, block.name);
  }
  return last.content.flatMap((block) =>
    block.type === "tool_result"
      ? [
          {
            toolName: names.get(block.tool_use_id) ?? "a tool",
            text: textOf(block.content ?? ""),
            isError: block.is_error === true,
          },
        ]
      : [],
  );
}
