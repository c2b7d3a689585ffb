import { AppError } from "../errors.ts";
import type { Surface } from "./surface.ts";

/** Watched for one token, over all its connections: above what any client needs, below what there is for all. */
export const maxWatchesPerToken = 4096;

/** The same surface; no token can take all that may be watched. Throws AppError `too_many_connections`. */
export function withWatchBounds(surface: Surface): Surface {
  const counts = new Map<string, number>();

  function take(token: string): () => void {
    const count = counts.get(token) ?? 0;
    if (count >= maxWatchesPerToken) throw tooMany();
    counts.set(token, count + 1);
    let isGiven = false;
    return () => {
      if (isGiven) return;
      isGiven = true;
      const left = (counts.get(token) ?? 1) - 1;
      if (left === 0) counts.delete(token);
      else counts.set(token, left);
    };
  }

  return {
    ...surface,
    watch(uri, caller, tell, signal) {
      const give = take(caller.principal.tokenId ?? "");
      const begun = surface.watch(uri, caller, tell, signal);
      if (begun === null) {
        give();
        return null;
      }
      const watched = (unwatch: () => void) => () => {
        unwatch();
        give();
      };
      return begun.then(watched, (error: unknown) => {
        give();
        throw error;
      });
    },
  };
}

function tooMany(): AppError {
  return new AppError(
    "too_many_connections",
    `At most ${maxWatchesPerToken} resources are watched for one token; end a subscription first.`,
    { retryAfterMs: 10_000 },
  );
}
