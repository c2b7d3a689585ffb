import { heapStats } from "bun:jsc";
import { renameSync, writeFileSync } from "node:fs";

/**
 * Loaded into the service before anything else: counts what is on its heap, once what is garbage is collected, whenever
 * it gets SIGUSR2, and writes that to the file that HEAP_PROBE names.
 */
const path = process.env.HEAP_PROBE ?? "";

process.on("SIGUSR2", () => {
  Bun.gc(true);
  // What is finalised frees something else.
  setTimeout(() => {
    Bun.gc(true);
    const { heapSize, objectCount, objectTypeCounts } = heapStats();
    writeFileSync(`${path}.part`, JSON.stringify({ heapSize, objectCount, objectTypeCounts }));
    renameSync(`${path}.part`, path);
  }, 100);
});
