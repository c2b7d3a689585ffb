import type { FileSink } from "bun";

/** Characters that wait for whoever reads the log; what comes while there are more of them is left out. */
const maxWaiting = 4 * 1024 * 1024;

export interface PatientOutput {
  write(line: string): void;
  flush(): Promise<void>;
}

/**
 * Writes lines to a stream whose reader may have stopped reading, without waiting for it and without keeping for it more
 * than a bound. `onRead` is told how many lines were left out, once everything that waited has been read.
 */
export function patientOutput(
  writer: Pick<FileSink, "write" | "flush">,
  onRead: (leftOut: number) => void,
): PatientOutput {
  let waiting = 0;
  let leftOut = 0;

  function read(length: number): void {
    waiting -= length;
    if (waiting > 0 || leftOut === 0) return;
    const lines = leftOut;
    leftOut = 0;
    onRead(lines);
  }

  return {
    write(line) {
      if (waiting > maxWaiting) {
        leftOut++;
        return;
      }
      writer.write(line);
      const flushed = writer.flush();
      // A number says that it is written; only what has to wait gives a promise.
      if (typeof flushed === "number") return;
      waiting += line.length;
      const done = () => read(line.length);
      void flushed.then(done, done);
    },
    async flush() {
      await writer.flush();
    },
  };
}
