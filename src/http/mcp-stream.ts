import { AppError } from "../errors.ts";
import { closeGraceMs } from "./socket-end.ts";

/** Bytes of a stream that may wait for a reader before it counts as too slow. */
export const unreadStreamBytes = 64 * 1024;

export interface KeptUp {
  readonly body: ReadableStream<Uint8Array>;
  /** Ends it early, with a reason. Idempotent. */
  end(error: AppError): void;
}

/**
 * The same stream, for a reader that keeps up: one that does not is told why, and cut off if it does not read even
 * that. Without this what is told would wait in memory for whoever has stopped to read.
 */
export function keptUp(
  source: ReadableStream<Uint8Array>,
  lastWord: (error: AppError) => string,
  firstWord = "",
): KeptUp {
  const reader = source.getReader();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let state: "open" | "closing" | "closed" = "open";
  let cutOff: ReturnType<typeof setTimeout> | undefined;

  function end(error: AppError): void {
    if (state !== "open") return;
    state = "closing";
    reader.cancel(error).catch(() => {});
    cutOff = setTimeout(() => controller.error(error), closeGraceMs).unref();
    controller.enqueue(new TextEncoder().encode(lastWord(error)));
  }

  async function pump(): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (state !== "open") return;
      if (done) {
        state = "closed";
        return controller.close();
      }
      controller.enqueue(value);
      if ((controller.desiredSize ?? 0) <= 0) return end(tooSlow());
    }
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start(own) {
        controller = own;
        if (firstWord !== "") controller.enqueue(new TextEncoder().encode(firstWord));
        pump().catch((error: unknown) => own.error(error));
      },
      pull() {
        if (state !== "closing" || controller.desiredSize !== unreadStreamBytes) return;
        state = "closed";
        clearTimeout(cutOff);
        controller.close();
      },
      async cancel(reason) {
        state = "closed";
        clearTimeout(cutOff);
        await reader.cancel(reason);
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: unreadStreamBytes }),
  );
  return { body, end };
}

function tooSlow(): AppError {
  return new AppError("too_many_connections", "This stream was not read; read faster, then open it again.");
}
