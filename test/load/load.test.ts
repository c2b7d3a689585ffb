import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { binary } from "../e2e/binary.ts";
import { load } from "./run.ts";

setDefaultTimeout(120_000);
beforeAll(() => void binary());

test("everything within the bounds is served, and everything above them told so", async () => {
  const outcome = await load({ connections: 300, sessions: 150, turns: 60, churnMs: 5000, say: () => {} });
  expect(outcome).toMatchObject({ refused: {}, answered: 60 });
  expect(outcome.atOnce).toBeGreaterThanOrEqual(60);
  const { connection, queue, flight } = outcome.beyond;
  expect(connection).toStartWith("429 ");
  expect(connection).toContain("too_many_connections");
  expect(queue).toStartWith("queue_full: 8 messages of this conversation");
  expect(flight).toStartWith("rate_limited: At most 16 requests");
  expect(outcome.churned).toBeGreaterThanOrEqual(50);
  expect(outcome.events).toBeGreaterThanOrEqual(60);
});
