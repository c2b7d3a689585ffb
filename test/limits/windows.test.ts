import { expect, test } from "bun:test";
import { Windows } from "../../src/limits/windows.ts";

test("a window ends so long after its first point, whatever is asked within it", () => {
  const windows = new Windows(2, 10);
  expect(windows.take("a", 0)).toBe(0);
  expect(windows.take("a", 9000)).toBe(0);
  expect(windows.take("a", 9000)).toBe(1000);
  expect(windows.take("a", 9999)).toBe(1);
  expect(windows.take("a", 10_000)).toBe(0);
  expect(windows.take("a", 19_999)).toBe(0);
  expect(windows.take("a", 19_999)).toBe(1);
});

test("each key has a window of its own, though others end before it", () => {
  const windows = new Windows(1, 10);
  expect(windows.take("a", 0)).toBe(0);
  expect(windows.take("b", 5000)).toBe(0);
  expect(windows.take("a", 10_000)).toBe(0);
  expect(windows.take("b", 14_000)).toBe(1000);
  expect(windows.take("c", 15_000)).toBe(0);
  expect(windows.take("a", 15_000)).toBe(5000);
  expect(windows.take("b", 15_000)).toBe(0);
});

test("keys whose window has ended are forgotten by the next that begins", () => {
  const windows = new Windows(1, 10);
  for (let n = 0; n < 1000; n++) windows.take(`early ${n}`, n);
  expect(windows.size).toBe(1000);
  windows.take("late", 10_499);
  expect(windows.size).toBe(501);
  windows.take("later", 30_000);
  expect(windows.size).toBe(1);
});

test("no more keys are held than the bound: the one that would end next begins anew", () => {
  const windows = new Windows(1, 10, 1000);
  let most = 0;
  for (let n = 0; n < 50_000; n++) {
    windows.take(`key ${n}`, 0);
    most = Math.max(most, windows.size);
  }
  expect(most).toBe(1000);
  expect(windows.take("key 49999", 1)).toBe(9999);
  expect(windows.take("key 48999", 1)).toBe(0);
  expect(windows.size).toBe(1000);
});
