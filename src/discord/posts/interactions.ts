import type { API } from "@discordjs/core";
import { getLogger } from "@logtape/logtape";
import type { OnBehalf } from "../../actor.ts";
import type { TurnService } from "../../agent/turn-service.ts";
import { type AppError, toAppError } from "../../errors.ts";
import type { Limits } from "../../limits/rate-limits.ts";
import { abortable } from "../../waiting.ts";
import { type Press, readButton } from "./buttons.ts";
import {
  type Answer,
  actingUserId,
  answerFirst,
  answerLate,
  callbackOf,
  type Interaction,
  isAutocomplete,
  isPress,
  readInteraction,
} from "./interaction-answers.ts";
import { plainText } from "./plain-text.ts";
import type { Verdicts } from "./verdicts.ts";

const log = getLogger(["discord-mcp", "discord"]);

export interface InteractionsDeps {
  /** Repeats nothing: an answer that comes late is none. */
  readonly api: API;
  readonly turns: Pick<TurnService, "decide" | "approval">;
  readonly verdicts: Pick<Verdicts, "hold" | "shown" | "show">;
  readonly limits: Pick<Limits, "user">;
  /** What a press is decided by: who decided is stored. */
  readonly onBehalf: OnBehalf;
  readonly onFailure: () => void;
  /** What takes longer than so many milliseconds is deferred: Discord waits for three seconds, the way there included. */
  readonly deferAfterMs: number;
}

/** Of establishing what the one who pressed may do. */
const decideMs = 20_000;
const firstMs = 3000;
const lateMs = 20_000;
/** Worked on at once; more are told to try again, and those beyond twice as many nothing: Discord says so then. */
const openBound = 200;
const textLength = 1500;

const unknownNote = "I answer to messages: mention me in a channel, or write to me directly.";
const notOursNote = "I do not know this button any more. Ask me again, and I make a new one.";
const busyNote = "Too much is going on just now; press it again in a moment.";

/** Pressed buttons and whatever else people begin with the application, from the gateway or by webhook. */
export class Interactions {
  readonly #deps: InteractionsDeps;
  readonly #stop = new AbortController();
  readonly #open = new Set<Promise<void>>();

  constructor(deps: InteractionsDeps) {
    this.#deps = deps;
  }

  /** One that came by the gateway: the answer goes out as a request. */
  received(payload: unknown): void {
    const { api, onFailure } = this.#deps;
    if (this.#open.size >= 2 * openBound) {
      onFailure();
      return;
    }
    const work = async () => {
      const interaction = readInteraction(payload);
      await this.#serve(interaction, async (answer) => {
        await answerFirst(api, interaction, answer, this.#bound(firstMs));
        await this.#seen(answer);
      });
    };
    this.#track(work().catch((error: unknown) => this.#failed(error)));
  }

  /** One that came by webhook: resolves with the body of the response. Throws AppError `invalid_data`. */
  async handle(body: unknown): Promise<unknown> {
    const interaction = readInteraction(body);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const served = this.#serve(interaction, async (answer) => resolve(callbackOf(answer)));
    this.#track(
      served.catch((error: unknown) => {
        this.#failed(error);
        reject(error);
      }),
    );
    return promise;
  }

  /** Waits for what is being answered, for at most `boundMs`. */
  async close(boundMs: number): Promise<void> {
    const bound = AbortSignal.timeout(boundMs);
    await abortable(Promise.all(this.#open), bound).catch(() => undefined);
    this.#stop.abort(new Error("the service is going down"));
  }

  #failed(error: unknown): void {
    this.#deps.onFailure();
    log.warn("an interaction could not be answered", { error });
  }

  /** Discord has taken it. Of the response to a webhook that is not known: its verdict is shown once more. */
  async #seen(answer: Answer): Promise<void> {
    if (answer.kind === "verdict") await this.#deps.verdicts.shown(answer.approval.id);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#open.delete(tracked));
    this.#open.add(tracked);
  }

  #bound(ms: number): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ms)]);
  }

  async #serve(interaction: Interaction, first: (answer: Answer) => Promise<void>): Promise<void> {
    if (isAutocomplete(interaction)) return first({ kind: "choices" });
    const userId = actingUserId(interaction);
    if (!isPress(interaction) || userId === null) return first({ kind: "private", text: unknownNote });
    const press = readButton(interaction.data?.custom_id);
    if (press === null) return first({ kind: "private", text: notOursNote });
    if (this.#open.size >= openBound) return first({ kind: "private", text: busyNote });
    const release = this.#deps.verdicts.hold(press.approvalId);
    try {
      await this.#answerPress(interaction, press, userId, first);
    } finally {
      release();
    }
  }

  async #answerPress(
    interaction: Interaction,
    press: Press,
    userId: string,
    first: (answer: Answer) => Promise<void>,
  ): Promise<void> {
    const { api, deferAfterMs } = this.#deps;
    const decided = this.#decide(press, userId, interaction);
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(resolve, deferAfterMs, null);
    const soon = await Promise.race([decided, late]);
    clearTimeout(timer);
    if (soon !== null) return first(soon);
    await first({ kind: "deferred" });
    const answer = await decided;
    await answerLate(api, interaction, answer, this.#bound(lateMs));
    await this.#seen(answer);
  }

  /** Never rejects: what goes wrong is told to whoever pressed. */
  async #decide({ approvalId, approved }: Press, userId: string, interaction: Interaction): Promise<Answer> {
    const { turns, limits, onBehalf } = this.#deps;
    try {
      await limits.user.take(userId);
      // Wherever it was pressed: what is decided there is the asker's.
      const approval = await onBehalf({ userId, guildId: null }, () =>
        turns.decide(approvalId, approved, userId, this.#bound(decideMs)),
      );
      return { kind: "verdict", approval };
    } catch (error) {
      const failure = toAppError(error);
      if (failure.code === "internal_error")
        log.error("a press could not be decided", { error: failure.cause });
      if (failure.code === "approval_not_found") void this.#putRight(approvalId, interaction);
      return { kind: "private", text: refusal(failure) };
    }
  }

  /** The buttons of something that was decided before stand no longer. */
  async #putRight(approvalId: string, { message }: Interaction): Promise<void> {
    const { turns, verdicts, onFailure } = this.#deps;
    if (message === undefined) return;
    try {
      const approval = await turns.approval(approvalId);
      if (approval?.state === "pending") return;
      await verdicts.show(approval, message.channel_id, message.id);
      if (approval !== null) await verdicts.shown(approvalId);
    } catch (error) {
      onFailure();
      log.info("an old question could not be put right", { approval_id: approvalId, error });
    }
  }
}

function refusal({ code, message }: AppError): string {
  const why = plainText(message, textLength);
  switch (code) {
    case "permission_denied":
    case "not_found":
      return `Only somebody who may do this themselves can decide it. ${why}`;
    default:
      return why;
  }
}
