import type { Config } from "../config.ts";
import type { TurnJournal } from "./journal.ts";
import type { BudgetPort, FlowPort, HistoryPort, ModelPort, ToolPort, TurnContextPort } from "./ports.ts";
import type { TokenGauge } from "./token-gauge.ts";

/** All that a turn needs of the world. */
export interface TurnDeps {
  readonly journal: TurnJournal;
  readonly history: HistoryPort;
  readonly model: ModelPort;
  readonly tools: ToolPort;
  readonly flow: FlowPort;
  readonly context: TurnContextPort;
  readonly budgets: BudgetPort;
  readonly config: {
    readonly model: Pick<
      Config["model"],
      "name" | "toolSearch" | "maxTokens" | "historyTokens" | "systemPrompt"
    >;
    readonly turn: Pick<Config["turn"], "maxSteps">;
  };
  readonly gauge: TokenGauge;
  /** How long a question waits for an answer, in milliseconds. */
  readonly approvalMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Tokens that one turn may cost, those that come from the cache not counted. Keeps its context bounded, too. */
export const maxTurnTokens = 400_000;

export const defaultApprovalMs = 15 * 60_000;

/** Calls of one turn that a person may be asked about; what is more is answered and not run. */
export const maxApprovals = 8;

/** Tool calls of one step; what is more is answered and not run. */
export const maxCallsPerStep = 16;
