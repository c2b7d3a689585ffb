import { expect, test } from "bun:test";
import { ana, bench, call, toolThat } from "./harness.ts";

/** A person outside of servers: a place of their own. */
const direct = { ...ana, userId: "900000000000000009", guildId: null };

test("calls of one server that fill every place they may have hold up none of another", async () => {
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const probe = toolThat(async (context) => {
    begun.push(context.actor.guildId ?? "");
    if (context.actor.guildId === ana.guildId) await gate.promise;
    return 1;
  });
  const { registry } = bench([probe], { callsAtOnce: 4 });
  const flood = Array.from({ length: 20 }, () => call(registry));
  expect((await call(registry, { actor: direct })).kind).toBe("done");
  expect(begun).toEqual([...Array(3).fill(ana.guildId), ""]);
  gate.resolve();
  expect((await Promise.all(flood)).map(({ kind }) => kind)).toEqual(Array(20).fill("done"));
});

test("a call that is given up while it waits for its place has not run, and takes none", async () => {
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  const probe = toolThat(async ({ signal }) => {
    runs++;
    await Promise.race([gate.promise, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
    return 1;
  });
  const { registry } = bench([probe], { callsAtOnce: 1 });
  const first = call(registry);
  const given = new AbortController();
  const waiting = call(registry, { signal: given.signal });
  given.abort(new Error("given up"));
  await expect(waiting).rejects.toThrow("given up");
  gate.resolve();
  expect((await first).kind).toBe("done");
  expect(runs).toBe(1);
  expect((await call(registry)).kind).toBe("done");
});
