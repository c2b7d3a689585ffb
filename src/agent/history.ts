import type { MessageParam } from "@anthropic-ai/sdk/resources/messages";
import { getLogger } from "@logtape/logtape";
import { toAppError } from "../errors.ts";
import type { Usage } from "./events.ts";
import type { TurnRecord } from "./journal.ts";
import type { Audience, FlowPort, History, HistoryTurn, StoredSummary } from "./ports.ts";
import { summarise, summaryExchange } from "./summary.ts";
import type { TokenGauge } from "./token-gauge.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { noUsage } from "./usage.ts";
import { answerAudience, conversationAudience } from "./where-answers-go.ts";
import { historySources, withhold } from "./withhold.ts";

const log = getLogger(["discord-mcp", "agent"]);

/** Where no summary can be had, history may be so many times its bound before the oldest stays out of a turn. */
const hardFactor = 2;
/** A newest turn of up to this part of the bound is kept word by word. */
const newestShare = 0.75;
const maxSummaryTokens = 2000;

export interface PreparedHistory {
  readonly messages: readonly MessageParam[];
  /** What they rest on, all of it open to those who read the turn's answer. */
  readonly sources: readonly string[];
  /** What a summary has cost, if one was made. */
  readonly usage: Usage;
}

/**
 * What is replayed of the conversation. Beyond `historyTokens` the older turns are folded into a stored summary,
 * down to about half of it, so that the prefix then stays the same for many turns. If that fails, the turn goes
 * on with what fits; nothing is deleted. What the readers of the turn's answer may not all read is withheld; a
 * summary is made for those of the conversation's channel, whoever's turn it is. Throws the signal's reason only.
 */
export async function prepareHistory(
  turn: TurnRecord,
  deps: Pick<TurnDeps, "history" | "model" | "config" | "gauge" | "flow">,
  signal: AbortSignal,
): Promise<PreparedHistory> {
  const stored = await deps.history.load(turn.conversationId, turn.epoch);
  const audience = answerAudience(turn);
  const history = await visibleTo(audience, stored, deps.flow, signal);
  const sources = historySources(history);
  const bound = deps.config.model.historyTokens;
  const { fold, keep } = planHistory(history, deps.gauge, bound);
  if (fold.length === 0) return { messages: replay(history.summary, keep), sources, usage: noUsage };
  try {
    const widest = conversationAudience(turn);
    const open = widest.kind === audience.kind ? history : await visibleTo(widest, stored, deps.flow, signal);
    const { summary, usage } = await summarise(
      deps.model,
      {
        previous: open.summary,
        turns: open.turns.slice(0, fold.length),
        maxTokens: Math.min(summaryTokens(bound), deps.config.model.maxTokens),
        maxBytes: bound * 4,
      },
      signal,
    );
    await deps.history.saveSummary(turn.conversationId, turn.epoch, summary);
    log.info("older turns were summarised", { turn_id: turn.id, turns: fold.length, kept: keep.length });
    return { messages: replay(summary, keep), sources, usage };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const fitting = newestWithin(history.turns, deps.gauge, bound * hardFactor);
    log.warning("no summary could be made; the turn goes on with the history that fits", {
      turn_id: turn.id,
      code: toAppError(error).code,
      turns: history.turns.length,
      kept: fitting.length,
    });
    return { messages: replay(history.summary, fitting), sources, usage: noUsage };
  }
}

async function visibleTo(
  audience: Audience,
  history: History,
  flow: FlowPort,
  signal: AbortSignal,
): Promise<History> {
  const sources = historySources(history);
  return sources.length === 0 ? history : withhold(history, await flow.restricted(audience, sources, signal));
}

/** Which turns are to be folded into the summary, and which stay word by word. */
export function planHistory(
  history: History,
  gauge: TokenGauge,
  bound: number,
): { readonly fold: readonly HistoryTurn[]; readonly keep: readonly HistoryTurn[] } {
  const { summary, turns } = history;
  const total = turns.reduce((sum, turn) => sum + gauge.of(turn), summary === null ? 0 : gauge.of(summary));
  if (total <= bound) return { fold: [], keep: turns };
  const newest = turns.at(-1);
  const within = newestWithin(turns, gauge, bound / 2 - summaryTokens(bound));
  const keep =
    within.length === 0 && newest !== undefined && gauge.of(newest) <= bound * newestShare
      ? [newest]
      : within;
  return { fold: turns.slice(0, turns.length - keep.length), keep };
}

const summaryTokens = (bound: number): number => Math.min(maxSummaryTokens, Math.floor(bound / 8));

function newestWithin(
  turns: readonly HistoryTurn[],
  gauge: TokenGauge,
  tokens: number,
): readonly HistoryTurn[] {
  let left = tokens;
  for (let index = turns.length - 1; index >= 0; index--) {
    const turn = turns[index];
    if (turn !== undefined) left -= gauge.of(turn);
    if (left < 0) return turns.slice(index + 1);
  }
  return turns;
}

function replay(summary: StoredSummary | null, turns: readonly HistoryTurn[]): MessageParam[] {
  return [...(summary === null ? [] : summaryExchange(summary)), ...turns.flatMap((turn) => turn.messages)];
}
