import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { binary } from "../e2e/binary.ts";
import { chaos } from "./run.ts";

setDefaultTimeout(400_000);
beforeAll(() => void binary());

test("a short storm: every question has one whole answer, and nothing was written twice", async () => {
  const lines: string[] = [];
  const outcome = await chaos({
    kills: 8,
    seed: 4,
    longCutMs: 500,
    calmQuestions: 20,
    say: (line) => void lines.push(line),
  });
  expect(outcome).toMatchObject({ lost: [], duplicated: [], misled: [], integrity: "ok", unfinished: 0 });
  expect(outcome.answered + outcome.givenUp.length).toBe(outcome.asked);
  expect(outcome.answered).toBeGreaterThan(60);
});
