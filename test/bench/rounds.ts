import { median } from "./report.ts";

/** Does something once and gives the figure, in whatever unit the bench has chosen. */
export type Measure = () => Promise<number> | number;

/**
 * Measures the sides in turn, round by round, so that what disturbs the machine disturbs all of them, and gives
 * the median of each. One round more than asked for runs first and is thrown away.
 */
export async function alternate<Side extends string>(
  rounds: number,
  sides: Readonly<Record<Side, Measure>>,
): Promise<Record<Side, number>> {
  const names = Object.keys(sides) as Side[];
  const figures = new Map<Side, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    // Who is first in one round is last in the next.
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const figure = await sides[name]();
      if (round > 0) figures.get(name)?.push(figure);
    }
  }
  const medians = names.map((name) => [name, median(figures.get(name) ?? [])]);
  return Object.fromEntries(medians) as Record<Side, number>;
}

/** Milliseconds that one call takes, over `times` calls in a row. */
export async function timed(times: number, call: () => Promise<unknown> | unknown): Promise<number> {
  const began = performance.now();
  for (let n = 0; n < times; n++) await call();
  return (performance.now() - began) / times;
}
