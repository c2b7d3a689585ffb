import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import { type Reply, text, toolUse } from "../../src/simulator/claude/reply.ts";

/** What somebody wants: words, many words, something looked up, or something written elsewhere. */
export const kinds = ["short", "long", "read", "write"] as const;
export type Kind = (typeof kinds)[number];

export interface Question {
  /** In no other question of the run. */
  readonly mark: string;
  readonly kind: Kind;
  /** The channel that is written to. */
  readonly ledgerId: string;
}

/** Answers of this many lines go out in several messages. */
const lines: Record<Kind, number> = { short: 1, long: 130, read: 2, write: 2 };

const said = /\[(q\d+) (short|long|read|write) (\d+)\]/g;
const line = /^(q\d+) line (\d+) of (\d+)(?:: (.*))?$/gm;
const filler = "and a few more words, as people expect them of an answer";

export const textOf = ({ mark, kind, ledgerId }: Question): string => `[${mark} ${kind} ${ledgerId}]`;
/** What the tool writes. */
export const entryOf = (mark: string): string => `entry ${mark}`;

/** What has arrived of answers: the lines of each question, in the order in which they were posted. */
export function linesIn(content: string): readonly Line[] {
  return [...content.matchAll(line)].map(([, mark = "", number, , words = ""]) => ({
    mark,
    line: Number(number),
    words,
  }));
}

interface Line {
  readonly mark: string;
  readonly line: number;
  readonly words: string;
}

/** Whether these lines are the whole answer, once and in order. */
export function isWhole({ kind }: Pick<Question, "kind">, arrived: readonly number[]): boolean {
  return arrived.length === lines[kind] && arrived.every((number, at) => number === at + 1);
}

export const lastLine = ({ kind }: Pick<Question, "kind">): number => lines[kind];

/** A model that does what the newest question says, and says what came of it. */
export function brain(request: MessageCreateParams): Reply {
  const question = newestQuestion(request);
  if (question === null) return { blocks: [text("There was no question.")] };
  const { mark, kind, ledgerId } = question;
  const result = newestResult(request);
  if (result === null && kind === "read") return call("discord_message_history", { limit: 3 });
  if (result === null && kind === "write")
    return call("discord_message_send", { channel_id: ledgerId, content: entryOf(mark) });
  const answer = Array.from({ length: lines[kind] }, (_, at) => {
    const end = at === 0 ? (result ?? filler) : filler;
    return `${mark} line ${at + 1} of ${lines[kind]}: ${end}`;
  });
  return { blocks: [text(answer.join("\n"))] };
}

const call = (name: string, input: unknown): Reply => ({ blocks: [toolUse(name, input)] });

function newestQuestion({ messages }: MessageCreateParams): Question | null {
  for (const { role, content } of messages.toReversed()) {
    if (role !== "user") continue;
    const words =
      typeof content === "string"
        ? content
        : content.map((block) => ("text" in block ? block.text : "")).join("\n");
    const found = [...words.matchAll(said)].at(-1);
    if (found !== undefined)
      return { mark: found[1] ?? "", kind: found[2] as Kind, ledgerId: found[3] ?? "" };
  }
  return null;
}

/** What a tool's result says of its end; null when the newest message brings none. */
function newestResult({ messages }: MessageCreateParams): string | null {
  const content = messages.at(-1)?.content;
  if (content === undefined || typeof content === "string") return null;
  const [result] = content.flatMap((block) => (block.type === "tool_result" ? [block] : []));
  if (result === undefined) return null;
  const words = JSON.stringify(result.content ?? "");
  if (/unknown|cannot be told/.test(words)) return sentences.unknown;
  return result.is_error === true ? sentences.refused : sentences.done;
}

const sentences = { done: "it was done", refused: "it was refused", unknown: "it is not known" } as const;

/** What the words of a line say of the tool; null where they say nothing of one. */
export function outcomeIn(words: string): keyof typeof sentences | null {
  if (words === sentences.done) return "done";
  if (words === sentences.refused) return "refused";
  return words === sentences.unknown ? "unknown" : null;
}
