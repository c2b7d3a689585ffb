import type { API } from "@discordjs/core";
import type { TurnRecord } from "../../agent/journal.ts";
import type { TurnService } from "../../agent/turn-service.ts";
import { isAnything } from "../fits.ts";
import { ask } from "../rest/errors.ts";

/** Discord shows it for ten seconds, https://discord.com/developers/docs/resources/channel#trigger-typing-indicator */
const REPEAT_MS = 8000;
/** A turn that runs longer has other troubles than typing. */
const LONGEST_MS = 30 * 60_000;

export interface TypingDeps {
  readonly api: API;
  readonly turns: Pick<TurnService, "onRunning" | "onEnded" | "onApproval">;
  readonly onFailure: () => void;
  readonly repeatMs?: number;
}

/** Shows typing in a channel for as long as a turn for it runs, and not while it waits for a person. Failures are counted and otherwise of no account. */
export function showTyping({ api, turns, onFailure, repeatMs = REPEAT_MS }: TypingDeps): Disposable {
  const running = new Map<
    string,
    { readonly timer: ReturnType<typeof setInterval>; readonly stop: AbortController }
  >();

  function begin({ id, replyTo }: TurnRecord): void {
    if (replyTo === null || running.has(id)) return;
    const stop = new AbortController();
    const until = performance.now() + LONGEST_MS;
    const show = () => {
      if (performance.now() > until) end(id);
      else
        ask(
          stop.signal,
          "typing",
          (s) => api.channels.showTyping(replyTo.channelId, { signal: s }),
          isAnything,
        ).catch(failed);
    };
    const failed = () => {
      if (!stop.signal.aborted) onFailure();
    };
    const timer = setInterval(show, repeatMs);
    timer.unref();
    running.set(id, { timer, stop });
    show();
  }

  function end(turnId: string): void {
    const one = running.get(turnId);
    if (one === undefined) return;
    running.delete(turnId);
    clearInterval(one.timer);
    one.stop.abort();
  }

  const unlisten = [
    turns.onRunning(begin),
    turns.onEnded((turn) => end(turn.id)),
    turns.onApproval(({ state, turnId }) => {
      if (state === "pending" && turnId !== null) end(turnId);
    }),
  ];
  return {
    [Symbol.dispose]() {
      for (const stop of unlisten) stop();
      for (const id of [...running.keys()]) end(id);
    },
  };
}
