import { expect, test } from "bun:test";
import fc from "fast-check";
import { ByteCache } from "../../src/memory/cache.ts";

test("keeps to its bound, and what was used last", () => {
  const operation = fc.record({
    key: fc.constantFrom("a", "b", "c", "d"),
    bytes: fc.nat(60),
    put: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(operation), (operations) => {
      const cache = new ByteCache<number>(100);
      const sizes = new Map<string, number>();
      for (const { key, bytes, put } of operations) {
        if (put) {
          cache.set(key, bytes, bytes);
          sizes.set(key, bytes);
          expect(cache.get(key)).toBe(bytes);
        } else {
          const found = cache.get(key);
          if (found !== undefined) expect(found).toBe(sizes.get(key) ?? -1);
        }
        expect(cache.bytes).toBeLessThanOrEqual(100);
      }
    }),
  );
});

test("lets the least recently used go, and never keeps what is larger than all of it", () => {
  const cache = new ByteCache<string>(10);
  cache.set("a", "A", 5);
  cache.set("b", "B", 5);
  cache.get("a");
  cache.set("c", "C", 5);
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["A", undefined, "C"]);
  cache.set("a", "larger", 11);
  expect(cache.get("a")).toBeUndefined();
  expect(cache.bytes).toBe(5);
  cache.clear();
  expect(cache.bytes).toBe(0);
});
