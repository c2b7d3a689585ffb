import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openMemory } from "../../src/memory/memory.ts";
import { converse, secretKey } from "../memory/helpers.ts";
import { temporaryFolder } from "./folder.ts";
import type { Bench, Row } from "./report.ts";

const megabytes = 200;
const aloneMs = 3000;
const backups = 5;
const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** How long the event loop stood still, in ms, each time that it should have looked at the clock. */
interface Stalls {
  readonly longest: number;
  readonly p99: number;
  readonly seconds: number;
}

export const storage: Bench = {
  name: "storage",
  about: `How long the event loop of a process that commits all the time stands still while its database of ${megabytes} MB is backed up by another (${backups} times) and while its keys are changed.`,
  async run() {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "bench.db");
    using memory = openMemory({ path, secretKey });
    for (let n = 0; statSync(path).size < megabytes * 1e6; n++)
      await converse(memory, "x".repeat(20_000), { channelId: `c${n % 200}` });
    const commits = async (until: () => boolean) => {
      for (let n = 0; !until(); n++) {
        await memory.preferences.set("1", { tone: `${n}` });
        await Bun.sleep(1);
      }
    };
    const end = performance.now() + aloneMs;
    const alone = await stalls(() => commits(() => performance.now() > end));
    const backup = await stalls(async () => {
      for (let n = 0; n < backups; n++) {
        const env = { DATABASE_URL: path, SECRET_KEY: secretKey };
        const child = Bun.spawn([process.execPath, main, "backup", join(folder.path, `${n}.db`)], {
          env,
          stdout: "ignore",
          stderr: "ignore",
        });
        await commits(() => child.exitCode !== null);
        if (child.exitCode !== 0) throw new Error("The backup has failed.");
      }
    });
    const keys = await stalls(async () => {
      for (let to: number | null = null; ; ) {
        const { finished, key } = await memory.keys.rotate(to, 1000);
        to = key;
        if (finished) return;
      }
    });
    const rows = (what: string, { longest, p99 }: Stalls, goal: string): Row[] => [
      {
        what: `longest stall, ${what}`,
        unit: "ms",
        ours: longest,
        floor: alone.longest,
        floorIs: "commits alone",
        goal,
      },
      {
        what: `99th percentile, ${what}`,
        unit: "ms",
        ours: p99,
        floor: alone.p99,
        floorIs: "commits alone",
        goal: "",
      },
    ];
    const took = (what: string, seconds: number): Row => ({
      what,
      unit: "s",
      ours: seconds,
      floor: null,
      floorIs: "",
      goal: "",
    });
    return [
      ...rows("backup", backup, "at most 50"),
      took("a backup", backup.seconds / backups),
      ...rows("change of keys", keys, "at most 20"),
      took("the change of keys", keys.seconds),
    ];
  },
};

async function stalls(work: () => Promise<void>): Promise<Stalls> {
  const found: number[] = [];
  const began = performance.now();
  let last = began;
  const timer = setInterval(() => {
    const now = performance.now();
    found.push(now - last - 1);
    last = now;
  }, 1);
  await work();
  clearInterval(timer);
  found.sort((a, b) => a - b);
  const seconds = (performance.now() - began) / 1000;
  return { longest: found.at(-1) ?? 0, p99: found[Math.floor(found.length * 0.99)] ?? 0, seconds };
}
