import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { createDeadlines, type UnderWay } from "../../src/tools/deadline.ts";

const late = (name: string) => new AppError("timeout", `${name} took too long.`);
const never = () => new Promise<never>(() => {});

test("each call has its own time, whatever became of those before it", async () => {
  const { within } = createDeadlines(30, late);
  const { signal } = new AbortController();
  expect(await within(signal, "It", async () => "quick")).toBe("quick");
  const began = performance.now();
  const first = within(signal, "It", never);
  const heeded: unknown[] = [];
  const second = within(signal, "It", (call) => {
    call.signal.addEventListener("abort", () => heeded.push(call.signal.reason));
    return never();
  });
  const ends = await Promise.allSettled([first, second]);
  expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(performance.now() - began).toBeGreaterThan(28);
  expect(heeded).toEqual([late("It")]);
  await expect(within(signal, "It", never)).rejects.toThrow("too long");
});

test("who gives up ends all of his calls and nobody else's", async () => {
  const { within } = createDeadlines(10_000, late);
  const [ana, ben] = [new AbortController(), new AbortController()];
  let seen: UnderWay | undefined;
  const gate = Promise.withResolvers<string>();
  const calls = [
    within(ana.signal, "It", never),
    within(ana.signal, "It", (call) => {
      seen = call;
      return never();
    }),
  ];
  const bens = within(ben.signal, "It", () => gate.promise);
  const done = await within(ana.signal, "It", async (call) => call);
  ana.abort(new Error("given up"));
  const ends = await Promise.allSettled(calls);
  expect(ends.map((end) => "reason" in end && end.reason)).toEqual([ana.signal.reason, ana.signal.reason]);
  // Asked for only now, it says so; that of a call that was done by then does not.
  expect(seen?.signal.aborted).toBe(true);
  expect(done.signal.aborted).toBe(false);
  gate.resolve("done");
  expect(await bens).toBe("done");
  expect(() => within(ana.signal, "It", never)).toThrow("given up");
});

test("work that throws at once is work that fails, and what it does after its end is nobody's", async () => {
  const { within } = createDeadlines(20, late);
  const { signal } = new AbortController();
  const broken = () => {
    throw new Error("broken");
  };
  await expect(within(signal, "It", broken)).rejects.toThrow("broken");
  const gate = Promise.withResolvers<string>();
  await expect(within(signal, "It", () => gate.promise)).rejects.toThrow("too long");
  gate.reject(new Error("too late to be heard"));
  await Promise.resolve();
});
