import { getLogger } from "@logtape/logtape";
import { type Actor, goesWith } from "../actor.ts";
import { AppError } from "../errors.ts";
import type { McpDeps } from "./ports.ts";
import { messagesUri } from "./uris.ts";

const log = getLogger(["discord-mcp", "mcp"]);

/** Channels that are watched, each by as many clients as want to, in all. */
const maxWatches = 20_000;
/** A busy channel is told of once in such a time: what is told is that there is something to read, not what. */
const quietMs = 500;
/** Of finding out who of them may still read. */
const lookupMs = 10_000;

export interface Watching {
  /**
   * Tells of a channel's messages, new, edited or deleted, for as long as that person may read them: asked each time.
   * Returns what ends it. Throws AppError `too_many_connections`.
   */
  watch(actor: Actor, channelId: string, tell: (uri: string) => void): () => void;
  readonly size: number;
}

interface Watch {
  readonly actor: Actor;
  readonly tell: (uri: string) => void;
}

export function createWatching({
  onMessages,
  onForgotten,
  mayRead,
}: Pick<McpDeps, "onMessages" | "onForgotten" | "mayRead">): Watching {
  const byChannel = new Map<string, Set<Watch>>();
  const due = new Set<string>();
  let size = 0;

  async function tellAll(channelId: string): Promise<void> {
    due.delete(channelId);
    const signal = AbortSignal.timeout(lookupMs);
    const byActor = Map.groupBy(byChannel.get(channelId) ?? [], ({ actor }) => JSON.stringify(actor));
    // Each of them for themselves: one who cannot be looked up holds nobody up.
    await Promise.all([...byActor.values()].map((watches) => tellOne(channelId, watches, signal)));
  }

  async function tellOne(channelId: string, watches: readonly Watch[], signal: AbortSignal): Promise<void> {
    const [first] = watches;
    if (first === undefined || !(await mayRead(first.actor, channelId, signal))) return;
    // It may have ended while that was found out.
    for (const watch of watches) if (byChannel.get(channelId)?.has(watch)) watch.tell(messagesUri(channelId));
  }

  onMessages((channelId) => {
    if (!byChannel.has(channelId) || due.has(channelId)) return;
    due.add(channelId);
    setTimeout(() => {
      tellAll(channelId).catch((error: unknown) => log.error("watchers could not be told", { error }));
    }, quietMs).unref();
  });

  function end(channelId: string, watch: Watch): void {
    const watches = byChannel.get(channelId);
    if (!watches?.delete(watch)) return;
    size--;
    if (watches.size === 0) byChannel.delete(channelId);
  }

  // Who watches for somebody is told nothing more, though the stream may be an operator's and stay.
  onForgotten?.((whose) => {
    for (const [channelId, watches] of byChannel)
      for (const watch of watches) if (goesWith(whose, watch.actor)) end(channelId, watch);
  });

  return {
    watch(actor, channelId, tell) {
      if (size >= maxWatches)
        throw new AppError(
          "too_many_connections",
          "Too many channels are watched; end a subscription first.",
        );
      const watches = byChannel.get(channelId) ?? new Set();
      byChannel.set(channelId, watches);
      const watch: Watch = { actor, tell };
      watches.add(watch);
      size++;
      return () => end(channelId, watch);
    },
    get size() {
      return size;
    },
  };
}
