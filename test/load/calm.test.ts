import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { binary } from "../e2e/binary.ts";
import { calm, leftByTurn } from "./calm.ts";

setDefaultTimeout(120_000);
beforeAll(() => void binary());

test("what is asked and answered leaves nothing behind", async () => {
  const held = await calm({ turns: 1500, programs: 6, people: 0, historyTokens: 1000 });
  expect(held.map(({ turns }) => turns).at(-1)).toBeGreaterThanOrEqual(1500);
  // A record of a turn, and what it is found by, are some ten.
  expect(leftByTurn(held)).toBeLessThan(5);
});
