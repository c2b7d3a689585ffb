import type { API } from "@discordjs/core";
import { DiscordAPIError } from "@discordjs/rest";
import { getLogger } from "@logtape/logtape";
import type { Approval } from "../../agent/approvals.ts";
import type { TurnService } from "../../agent/turn-service.ts";
import { isAnything } from "../fits.ts";
import type { Outbox, UnshownVerdict } from "../ports.ts";
import { ask } from "../rest/errors.ts";
import { Pauses } from "./pauses.ts";
import { verdictContent } from "./question-text.ts";
import { Rounds } from "./rounds.ts";

const log = getLogger(["discord-mcp", "discord"]);

export interface VerdictsDeps {
  /** Editing a message to the same thing twice does no harm: this client may repeat it. */
  readonly api: API;
  readonly outbox: Pick<Outbox, "unshownVerdicts" | "markShown">;
  readonly turns: Pick<TurnService, "onApproval">;
  readonly onFailure: () => void;
  /** Between tries of what Discord does not take just now, milliseconds. */
  readonly retryMs: number;
}

const atOnce = 8;

/** Shows in the message of a question how it was decided, in place of its buttons. */
export class Verdicts {
  readonly #deps: VerdictsDeps;
  readonly #stop = new AbortController();
  readonly #unlisten: () => void;
  readonly #pauses = new Pauses(() => this.wake());
  /** Those whose pressed button is being answered, which shows them too. */
  readonly #held = new Set<string>();
  readonly #rounds = new Rounds(
    () => this.#showAll(),
    (error) => {
      log.error("verdicts could not be shown, trying again", { error });
      this.#pauses.begin("", this.#deps.retryMs);
    },
  );

  constructor(deps: VerdictsDeps) {
    this.#deps = deps;
    this.#unlisten = deps.turns.onApproval(({ state, askIn }) => {
      if (state !== "pending" && askIn !== "none") this.wake();
    });
  }

  start(): void {
    this.#rounds.start();
  }

  /** There may be something to show. Cheap; many calls at once are one. */
  wake(): void {
    this.#rounds.wake();
  }

  /** Leaves one to whoever answers its pressed button, until they call what this returns. */
  hold(approvalId: string): () => void {
    this.#held.add(approvalId);
    return () => {
      this.#held.delete(approvalId);
      this.wake();
    };
  }

  async shown(approvalId: string): Promise<void> {
    await this.#deps.outbox.markShown(approvalId);
  }

  /** Puts a message right that still has its buttons. Without an approval, which is deleted in time, they only go. */
  async show(approval: Approval | null, channelId: string, messageId: string): Promise<void> {
    const body = approval === null ? { components: [] } : verdictMessage(approval);
    await ask(
      this.#stop.signal,
      "message",
      (signal) => this.#deps.api.channels.editMessage(channelId, messageId, body, { signal }),
      isAnything,
    );
  }

  /** Lets what is due be shown, for at most `boundMs`; what is not is shown by the next process. */
  async close(boundMs: number): Promise<void> {
    this.#unlisten();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, boundMs);
    for (let round = this.#rounds.underWay; round !== null; round = this.#rounds.underWay) {
      const isOver = await Promise.race([round.then(() => false), promise.then(() => true)]);
      if (isOver) break;
    }
    clearTimeout(timer);
    this.#rounds.stop();
    this.#stop.abort(new Error("the service is going down"));
    this.#pauses.endAll();
  }

  async #showAll(): Promise<void> {
    for (;;) {
      const due = await this.#deps.outbox.unshownVerdicts(atOnce);
      const free = due.filter(({ approval }) => !this.#held.has(approval.id));
      const shown = await Promise.all(free.map((verdict) => this.#show(verdict)));
      if (due.length < atOnce || free.length < due.length || shown.includes(false)) return;
    }
  }

  /** False when it has to be tried again. */
  async #show({ approval, channelId, messageId }: UnshownVerdict): Promise<boolean> {
    try {
      await this.show(approval, channelId, messageId);
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      this.#deps.onFailure();
      if (!isForGood(error)) {
        log.warn("a verdict could not be shown, trying again", { approval_id: approval.id, error });
        this.#pauses.begin("", this.#deps.retryMs);
        return false;
      }
      log.info("a verdict cannot be shown: its message is gone or closed to us", {
        approval_id: approval.id,
      });
    }
    await this.shown(approval.id);
    return true;
  }
}

/** The message of a question, decided. */
export function verdictMessage(approval: Approval) {
  return { content: verdictContent(approval), components: [], allowed_mentions: { parse: [] } };
}

function isForGood(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return (
    cause instanceof DiscordAPIError && (cause.status === 400 || cause.status === 403 || cause.status === 404)
  );
}
