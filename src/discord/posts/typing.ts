import type { API } from "@discordjs/core";
import type { Approval } from "../../agent/approvals.ts";
import { createLimit } from "../../limits/rate-limits.ts";
import { isAnything } from "../fits.ts";
import { ask } from "../rest/errors.ts";

/** Turns that run longer have other troubles than typing. */
const longestMs = 30 * 60_000;

interface Turn {
  readonly id: string;
  readonly replyTo: { readonly channelId: string } | null;
}

/** Of a turn service; each returns what ends it. */
interface Turns {
  onRunning(listener: (turn: Turn) => void): () => void;
  onEnded(listener: (turn: Turn) => void): () => void;
  onApproval(listener: (approval: Pick<Approval, "state" | "turnId">) => void): () => void;
}

export interface TypingDeps {
  readonly api: API;
  readonly turns: Turns;
  readonly onFailure: () => void;
  readonly repeatMs: number;
  /** In all channels; what is above it is left out, so that answers do not wait for it. */
  readonly perSecond: number;
}

/** A channel in which turns run. */
interface Busy {
  readonly turnIds: Set<string>;
  readonly timer: ReturnType<typeof setInterval>;
  readonly stop: AbortController;
}

/** Shows typing in a channel for as long as a turn for it runs, and not while it waits for a person. Failures are counted and otherwise of no account. */
export function showTyping({ api, turns, onFailure, repeatMs, perSecond }: TypingDeps): Disposable {
  const channels = new Map<string, Busy>();
  const channelOfTurn = new Map<string, string>();
  const limit = createLimit({ points: perSecond, seconds: 1 }, "Typing has been shown too often");
  const mayShow = () =>
    limit.take("typing").then(
      () => true,
      () => false,
    );

  async function show(channelId: string, stop: AbortSignal): Promise<void> {
    if (!(await mayShow())) return;
    try {
      await ask(stop, "typing", (signal) => api.channels.showTyping(channelId, { signal }), isAnything);
    } catch {
      if (!stop.aborted) onFailure();
    }
  }

  function busyIn(channelId: string): Busy {
    const stop = new AbortController();
    const until = performance.now() + longestMs;
    const timer = setInterval(() => {
      if (performance.now() > until) quiet(channelId);
      else void show(channelId, stop.signal);
    }, repeatMs);
    timer.unref();
    const busy = { turnIds: new Set<string>(), timer, stop };
    channels.set(channelId, busy);
    void show(channelId, stop.signal);
    return busy;
  }

  function quiet(channelId: string): void {
    const busy = channels.get(channelId);
    if (busy === undefined) return;
    channels.delete(channelId);
    for (const turnId of busy.turnIds) channelOfTurn.delete(turnId);
    clearInterval(busy.timer);
    busy.stop.abort();
  }

  function begin({ id, replyTo }: Turn): void {
    if (replyTo === null) return;
    const { channelId } = replyTo;
    channelOfTurn.set(id, channelId);
    (channels.get(channelId) ?? busyIn(channelId)).turnIds.add(id);
  }

  function end(turnId: string): void {
    const channelId = channelOfTurn.get(turnId);
    if (channelId === undefined) return;
    channelOfTurn.delete(turnId);
    const busy = channels.get(channelId);
    busy?.turnIds.delete(turnId);
    if (busy?.turnIds.size === 0) quiet(channelId);
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
      for (const channelId of [...channels.keys()]) quiet(channelId);
    },
  };
}
