import { expect, test } from "bun:test";
import { seed } from "../seed.ts";
import { targets } from "./targets.ts";

for (const target of targets) {
  test(`${target.name}: ${target.promise}`, async () => {
    const { inputs, failure } = await target.try({ runs: target.runs, seed });
    expect(failure).toBeNull();
    expect(inputs).toBe(target.runs);
  }, 60_000);
}
