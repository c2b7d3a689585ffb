import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { boundValue } from "../../src/tools/bound.ts";

const bytes = (text: string) => Buffer.byteLength(text);
const large = 8000;

describe("a result's bound", () => {
  test("what fits is left as it is", () => {
    const value = { a: ["ž"] };
    const { json, ...rest } = boundValue(value, large);
    expect(rest).toEqual({ value, isCut: false });
    expect(json()).toBe('{"a":["ž"]}');
    const exact = "ž".repeat(100);
    expect(boundValue(exact, 202).isCut).toBe(false);
    expect(boundValue(exact, 201).isCut).toBe(true);
  });

  test("what is no plain value is bounded as it is written", () => {
    const written = { toJSON: () => "x".repeat(9000) };
    expect(boundValue({ written, none: undefined, at: new Date(0) }, large).isCut).toBe(true);
    expect(boundValue([undefined, () => 1], large).json()).toBe("[null,null]");
    const round: unknown[] = [];
    round.push(round);
    expect(() => boundValue(round, large)).toThrow();
    // Six bytes for each unit.
    const worst = "\u0001".repeat(100);
    expect(boundValue(worst, 602).isCut).toBe(false);
    expect(boundValue(worst, 601).isCut).toBe(true);
  });

  test("the largest list loses its end, and it is said how much", () => {
    const messages = Array.from({ length: 100 }, (_each, id) => ({ id, content: "x".repeat(200) }));
    const { value, json, ...rest } = boundValue({ channel: 1, tags: ["a", "b"], messages }, large);
    expect(bytes(json())).toBeLessThanOrEqual(large);
    expect(bytes(json())).toBeGreaterThan(large - 700);
    const cut = value as { channel: number; tags: string[]; messages: { id: number }[] };
    expect(cut.tags).toEqual(["a", "b"]);
    expect(cut.messages.map(({ id }) => id)).toEqual(cut.messages.map((_each, at) => at));
    expect(rest).toEqual({
      isCut: true,
      truncated: expect.stringContaining(`${100 - cut.messages.length} of messages`),
    });
    expect(messages).toHaveLength(100);
  });

  test("a single large element loses the end of its longest text", () => {
    const { value } = boundValue({ messages: [{ id: "1", content: "🐎".repeat(9000) }] }, large);
    const cut = value as { messages: { id: string; content: string }[] };
    expect(cut.messages[0]?.id).toBe("1");
    expect(cut.messages[0]?.content).toEndWith("🐎…");
    expect(cut.messages[0]?.content.length).toBeGreaterThan(1000);
  });

  test("a list or a text at the top stays one", () => {
    expect(boundValue(["x".repeat(9000), "y"], large)).toMatchObject({
      value: [expect.stringMatching(/^x+…$/)],
      truncated: expect.stringContaining("1 of the list"),
    });
    expect(boundValue("x".repeat(9000), large)).toMatchObject({
      value: expect.stringMatching(/^x+…$/),
      truncated: expect.stringContaining("shortened"),
    });
  });

  test("many lists and texts, each of them small, are cut without a change of shape", () => {
    const fields = Array.from({ length: 60 }, (_each, n) => [`field${n}`, { names: ["x".repeat(60)], n }]);
    const cut = boundValue(Object.fromEntries(fields), 3000);
    expect(bytes(cut.json())).toBeLessThanOrEqual(3000);
    expect(cut.isCut).toBe(true);
    const entries = Object.entries(Object(cut.value));
    expect(entries).toHaveLength(60);
    for (const [, one] of entries) expect(one).toEqual({ names: expect.any(Array), n: expect.any(Number) });
  });

  test("when there is nothing to cut at, the beginning is left as a text", () => {
    const many = Object.fromEntries(Array.from({ length: 3000 }, (_each, n) => [`key${n}`, n]));
    const { value, json, ...rest } = boundValue(many, large);
    expect(bytes(json())).toBeLessThanOrEqual(large);
    expect(value).toStartWith('{"key0":0');
    expect(rest).toEqual({ isCut: true, truncated: expect.stringContaining("beginning") });
  });

  test("a field named like a method's home cannot do harm", () => {
    const odd: unknown = JSON.parse(`{"__proto__": ["${"x".repeat(9000)}"], "a": ["${"y".repeat(9000)}"]}`);
    expect(bytes(boundValue(odd, large).json())).toBeLessThanOrEqual(large);
  });

  test("holds for any value, and what comes out can be read again", () => {
    const piece = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }));
    const text = fc.tuple(piece, fc.nat({ max: 400 })).map(([some, times]) => some.repeat(times));
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        { weight: 3, arbitrary: text },
        fc.integer(),
        fc.constant(null),
        tie("list"),
        tie("object"),
      ),
      list: fc.array(tie("any"), { maxLength: 30 }),
      object: fc.dictionary(fc.string({ maxLength: 300 }), tie("any"), { maxKeys: 10 }),
    }));
    let cuts = 0;
    fc.assert(
      fc.property(any, fc.integer({ min: 600, max: 2000 }), (value, max) => {
        const bounded = boundValue(value, max);
        if (bounded.isCut) cuts++;
        const json = bounded.json();
        expect(bytes(json) + bytes(bounded.isCut ? bounded.truncated : "")).toBeLessThanOrEqual(max);
        expect(JSON.stringify(JSON.parse(json))).toBe(json);
        expect(JSON.stringify(bounded.value)).toBe(json);
        expect(bounded.isCut).toBe(bytes(JSON.stringify(value)) > max);
      }),
      { numRuns: 300 },
    );
    expect(cuts).toBeGreaterThan(20);
  });
});
