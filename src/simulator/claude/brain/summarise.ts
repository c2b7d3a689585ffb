import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import { memoriesIn, nameIn, sentencesOf } from "./facts.ts";
import { type Reading, textOf } from "./reading.ts";
import { shorten } from "./tell-answer.ts";

const title = "Summary of the earlier conversation:";
const maxLines = 30;
const maxLine = 180;

/** Whether the request asks for a summary of a conversation and not for a turn in one. */
export function wantsSummary({ system, question }: Reading, request: MessageCreateParams): boolean {
  if ((request.tools ?? []).length > 0 || !/\bsummar/i.test(system)) return false;
  return /\bsummar/i.test(system.slice(0, 400)) || /\bsummar/i.test(question);
}

/** Deterministic: names and what was to be remembered first, then what was said and asked, each once. */
export function summarise(request: MessageCreateParams): string {
  const person = request.messages
    .filter((message) => message.role === "user")
    .flatMap((message) => personLines(textOf(message.content)));
  const sentences = person.flatMap(sentencesOf).filter((sentence) => !/\bsummar|^<|^\{/i.test(sentence));
  const names = person.map(nameIn).filter((name) => name !== null);
  const lines = [
    ...names.slice(-1).map((name) => `The person's name is ${name}.`),
    ...sentences.filter((sentence) => /^- /.test(sentence)).map((sentence) => sentence.slice(2)),
    ...sentences.flatMap(memoriesIn).map((memory) => `To remember: ${memory}.`),
    ...sentences
      .filter(
        (sentence) => !sentence.endsWith("?") && !/^- /.test(sentence) && memoriesIn(sentence).length === 0,
      )
      .map((sentence) => `The person said: ${sentence}`),
    ...sentences
      .filter((sentence) => sentence.endsWith("?"))
      .map((sentence) => `The person asked: ${sentence}`),
  ];
  const kept = [...new Set(lines.map((line) => shorten(line, maxLine)))].slice(0, maxLines);
  return kept.length === 0
    ? `${title}\n- Nothing was said.`
    : [title, ...kept.map((line) => `- ${line}`)].join("\n");
}

/** In a transcript ("user: …", "assistant: …") only what the person said; any other text as it is. */
function personLines(text: string): string[] {
  const result: string[] = [];
  let isPerson = true;
  for (const line of text.split("\n")) {
    const label = line.match(
      /^[\s*#[]*(user|human|person|assistant|claude|bot|tool|system)[\]*]*\s*:\**\s*(.*)$/i,
    );
    if (label !== null) isPerson = /user|human|person/i.test(label[1] ?? "");
    const words = (label?.[2] ?? line).trim();
    if (isPerson && words !== "" && words !== title) result.push(words);
  }
  return result;
}
