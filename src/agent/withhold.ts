import { withheld } from "./answers.ts";
import { textBlock } from "./messages.ts";
import type { History, HistoryTurn } from "./ports.ts";

/** All that a conversation's stored history rests on. */
export function historySources({ summary, turns }: History): readonly string[] {
  return [...new Set([...(summary?.sources ?? []), ...turns.flatMap((turn) => turn.sources)])];
}

/**
 * The history for readers who may not read those sources. Of a turn that rests on one, the person's message stays,
 * and the answer if it was posted in the channel; what rests on none stays the same object.
 */
export function withhold(history: History, restricted: readonly string[]): History {
  if (restricted.length === 0) return history;
  const closed = new Set(restricted);
  const rests = (sources: readonly string[]) => sources.some((source) => closed.has(source));
  const { summary, turns } = history;
  return {
    summary:
      summary !== null && rests(summary.sources)
        ? { text: withheld.summary, uptoTurnId: summary.uptoTurnId, sources: [] }
        : summary,
    turns: turns.map((turn) => (rests(turn.sources) ? withoutWhatWasRead(turn) : turn)),
  };
}

function withoutWhatWasRead({ turnId, messages, answer, answerTo }: HistoryTurn): HistoryTurn {
  const said = answerTo === "channel" && answer !== null && answer.trim() !== "" ? answer : withheld.turn;
  return {
    turnId,
    messages: [
      ...messages.slice(0, 1).filter((message) => message.role === "user"),
      { role: "assistant", content: [textBlock(said)] },
    ],
    sources: [],
    answerTo,
    answer: null,
  };
}
