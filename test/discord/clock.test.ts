import { expect, test } from "bun:test";
import { createDiscordClock } from "../../src/discord/clock.ts";

test("Discord's time is not known before it is heard of, and goes on by what has passed since", () => {
  let elapsed = 0;
  const clock = createDiscordClock(() => elapsed);
  expect(clock.now()).toBeNull();
  clock.saw(Number.NaN);
  expect(clock.now()).toBeNull();
  clock.saw(1_000_000);
  elapsed += 500;
  expect(clock.now()).toBe(1_000_500);
});

test("what has been on its way for longer does not set it back, until the two may have drifted apart", () => {
  let elapsed = 0;
  const clock = createDiscordClock(() => elapsed);
  clock.saw(1_000_000);
  elapsed += 1000;
  clock.saw(1_000_200);
  expect(clock.now()).toBe(1_001_000);
  clock.saw(1_001_700);
  expect(clock.now()).toBe(1_001_700);
  elapsed += 11 * 60_000;
  clock.saw(1_500_000);
  expect(clock.now()).toBe(1_500_000);
});
