/** Forgets Ana in a process of its own that kills itself after so many breaths: `forget-child.ts <database> <breaths>`. */
import { createErasing } from "../../src/erasing/erasing.ts";
import { openMemory } from "../../src/memory/memory.ts";
import { secretKey } from "./helpers.ts";
import { ana } from "./person.ts";

const [path = "", breaths = "0"] = process.argv.slice(2);
let left = Number(breaths);
const breathe = globalThis.setImmediate;
Object.assign(globalThis, {
  setImmediate(callback: () => void) {
    left -= 1;
    if (left <= 0) process.kill(process.pid, "SIGKILL");
    return breathe(callback);
  },
});
const { erasures, eraser } = openMemory({ path, secretKey });
await createErasing({ erasures, eraser, live: null, logs: [], now: Date.now }).erase(ana);
process.stdout.write("done");
