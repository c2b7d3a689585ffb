import { AppError } from "../errors.ts";
import { readAtMost } from "../outbound/read-at-most.ts";

const timeoutMs = 15_000;

/**
 * Reads attachments from Discord's CDN, whose base is configured as the REST base is, and from nowhere else: an address
 * of another origin or path is refused, and no redirect is followed.
 */
export function createCdn(base: string) {
  const { origin, pathname } = new URL(base);
  const folders = ["attachments", "ephemeral-attachments"].map(
    (folder) => `${pathname.replace(/\/$/, "")}/${folder}/`,
  );
  return {
    /** At most so many bytes of it. Throws AppError `not_found` or `discord_unavailable`, or the signal's reason. */
    async attachment(address: string, maxBytes: number, signal: AbortSignal) {
      const url = URL.parse(address);
      if (url?.origin !== origin || !folders.some((folder) => url.pathname.startsWith(folder)))
        throw new AppError("not_found", "That attachment is not kept by Discord.");
      try {
        const response = await fetch(url, {
          redirect: "manual",
          credentials: "omit",
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        });
        if (response.status === 200) return await readAtMost(response, maxBytes);
        void response.body?.cancel();
        if ([403, 404, 410].includes(response.status))
          throw new AppError("not_found", "Discord does not have that attachment any more.");
        throw unavailable(` (status ${response.status})`);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof AppError ? error : unavailable("", error);
      }
    },
  };
}

function unavailable(status: string, cause?: unknown): AppError {
  return new AppError(
    "discord_unavailable",
    `Discord did not give the attachment${status}; try again in a moment.`,
    { cause },
  );
}
