import { expect, test } from "bun:test";
import fc from "fast-check";
import { Link, Ring } from "../src/ring.ts";

test("the first is the one that joined before all that are still there", () => {
  const steps = fc.array(fc.oneof(fc.constant("join" as const), fc.nat(20)));
  const property = fc.property(steps, (steps) => {
    const ring = new Ring<number>();
    const links: Link<number>[] = [];
    const there = new Set<number>();
    for (const step of steps) {
      if (step === "join") {
        there.add(links.length);
        const link = new Link(links.length);
        links.push(link);
        ring.join(link);
      } else {
        // Of one that has left, or was never there, it does nothing.
        links[step]?.leave();
        there.delete(step);
      }
      expect(ring.first).toBe([...there][0] ?? null);
    }
  });
  fc.assert(property);
});

test("who is in two rings leaves one of them", () => {
  const [one, other] = [new Ring<string>(), new Ring<string>()];
  const [here, there] = [new Link("a"), new Link("a")];
  one.join(here);
  other.join(there);
  here.leave();
  expect([one.first, other.first]).toEqual([null, "a"]);
});
