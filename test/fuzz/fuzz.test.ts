import { expect, test } from "bun:test";
import { targets } from "./targets.ts";

/** Another one each time: over many runs much is tried, and a failure prints the seed that repeats it. */
const seed = Date.now() % 2 ** 31;

for (const target of targets) {
  test(`${target.name}: ${target.promise}`, async () => {
    const { inputs, failure } = await target.try({ runs: target.runs, seed });
    expect(failure).toBeNull();
    expect(inputs).toBe(target.runs);
  }, 60_000);
}
