/** So long the best of what was seen of it counts: afterwards the two clocks may have drifted apart. */
const keptMs = 10 * 60_000;

/** Discord's time, which its ids are made of: this machine's may be ahead of it or behind. */
export interface DiscordClock {
  /** Discord has shown that it was at least that time, just now. */
  saw(time: number): void;
  /** Milliseconds since 1970, behind by a second or two at most; null until Discord has been heard of. */
  now(): number | null;
}

/**
 * Goes by what Discord says and by how much time has passed since, which a clock that is set anew does not change. The
 * latest that it can be by anything that was seen counts, since all of it has been on its way for a while.
 */
export function createDiscordClock(elapsed: () => number = () => performance.now()): DiscordClock {
  let best: { readonly ahead: number; readonly at: number } | null = null;
  return {
    saw(time) {
      if (!Number.isFinite(time)) return;
      const at = elapsed();
      const ahead = time - at;
      if (best === null || ahead >= best.ahead || at - best.at > keptMs) best = { ahead, at };
    },
    now: () => (best === null ? null : best.ahead + elapsed()),
  };
}
