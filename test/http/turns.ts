import type { TurnEvent } from "../../src/agent/events.ts";
import type { TurnJournal, TurnRecord } from "../../src/agent/ports.ts";
import type { TurnService } from "../../src/agent/turn-service.ts";

type Turns = Pick<TurnService, "submit" | "wait" | "cancel">;

/** How the turns of a test go: awaited between their events, so that a test says when. */
export interface Script {
  /** What is answered; throwing fails the turn with `model_error`. */
  answer: (turn: TurnRecord) => string | Promise<string>;
}

/** Turns over the real journal with a scripted model: one after another in each conversation. */
export function scriptedTurns(
  journal: TurnJournal,
  emit: (conversationId: string, event: TurnEvent) => void,
  script: Script,
): Turns {
  const ended = new Map<string, PromiseWithResolvers<void>>();
  const tails = new Map<string, Promise<void>>();
  const stops = new Map<string, PromiseWithResolvers<never>>();
  const usage = { inputTokens: 1, outputTokens: 2, cacheCreationInputTokens: 0, cacheReadInputTokens: 0 };

  async function run(accepted: TurnRecord): Promise<void> {
    const turn = await journal.begin(accepted.id);
    if (turn !== null) await work(turn);
    ended.get(accepted.id)?.resolve();
    ended.delete(accepted.id);
  }

  async function work(turn: TurnRecord): Promise<void> {
    const say = (event: TurnEvent) => emit(turn.conversationId, event);
    const stop = Promise.withResolvers<never>();
    stop.promise.catch(() => {});
    stops.set(turn.id, stop);
    say({ type: "turn_started", turnId: turn.id, origin: turn.origin });
    try {
      const response = await Promise.race([stop.promise, Promise.resolve(turn).then(script.answer)]);
      for (const text of response.split(" ")) say({ type: "text_delta", turnId: turn.id, step: 1, text });
      await journal.end(turn.id, {
        state: "done",
        answer: response,
        closingText: response,
        stopReason: "end_turn",
        errorCode: null,
      });
      say({ type: "turn_finished", turnId: turn.id, response, stopReason: "end_turn", usage });
    } catch (error) {
      const state = error === "stopped" ? "cancelled" : "failed";
      const code = error === "stopped" ? "cancelled" : "model_error";
      const answer = error === "stopped" ? "Stopped." : "The model did not answer; please try again.";
      await journal.end(turn.id, { state, answer, closingText: answer, stopReason: state, errorCode: code });
      say({ type: "turn_failed", turnId: turn.id, code, message: answer });
    } finally {
      stops.delete(turn.id);
    }
  }

  return {
    async submit(turn) {
      const result = await journal.accept(turn, 8);
      if (result.status !== "accepted") return result;
      const { id, conversationId } = result.turn;
      ended.set(id, Promise.withResolvers());
      const tail = (tails.get(conversationId) ?? Promise.resolve()).then(() => run(result.turn));
      tails.set(conversationId, tail);
      return result;
    },
    async wait(turnId, signal) {
      const running = ended.get(turnId);
      if (running !== undefined) {
        const gone = Promise.withResolvers<never>();
        signal?.addEventListener("abort", () => gone.reject(signal.reason));
        await Promise.race([running.promise, gone.promise]);
      }
      const turn = await journal.get(turnId);
      if (turn === null) throw new Error("no such turn");
      return { turn };
    },
    async cancel(conversationId, turnId) {
      const stopped: string[] = [];
      for (const [id, stop] of stops) {
        const turn = await journal.get(id);
        if (turn?.conversationId !== conversationId || (turnId !== undefined && turnId !== id)) continue;
        stop.reject("stopped");
        stopped.push(id);
      }
      const waiting = turnId === undefined ? await journal.cancelQueued(conversationId) : [];
      for (const turn of waiting) ended.get(turn.id)?.resolve();
      return { stopped, removed: waiting.map((turn) => turn.id) };
    },
  };
}
