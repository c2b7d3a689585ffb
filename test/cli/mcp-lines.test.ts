import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Line, readLines } from "../../src/cli/mcp-lines.ts";

async function read(chunks: readonly Uint8Array[], maxBytes = 1000): Promise<readonly Line[]> {
  async function* input() {
    yield* chunks;
  }
  const lines: Line[] = [];
  for await (const line of readLines(input(), maxBytes)) lines.push(line);
  return lines;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const line = (text: string): Line => ({ kind: "line", text });

describe("lines", () => {
  test("are whole however the bytes come, within characters too", async () => {
    const word = fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((text) => text.trim() === text && !/[\r\n]/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(word), fc.array(fc.nat(50)), async (words, cuts) => {
        const all = bytes(words.map((text) => `${text}\n`).join(""));
        const chunks: Uint8Array[] = [];
        let from = 0;
        for (const cut of cuts) {
          chunks.push(all.subarray(from, from + cut));
          from += cut;
        }
        chunks.push(all.subarray(from));
        expect(await read(chunks, 10_000)).toEqual(words.map(line));
      }),
    );
  });

  test("end with \\n or \\r\\n, are left out when empty, and the last needs no end", async () => {
    expect(await read([bytes("a\r\n\n  \nb\nc")])).toEqual([line("a"), line("b"), line("c")]);
    expect(await read([])).toEqual([]);
  });

  test("keep what was given in memory that is used again", async () => {
    const shared = bytes("ab");
    async function* input() {
      yield shared;
      shared.set(bytes("c\n"));
      yield shared;
    }
    const lines: Line[] = [];
    for await (const one of readLines(input(), 100)) lines.push(one);
    expect(lines).toEqual([line("abc")]);
  });

  test("of more than the bound are told, and the next is whole", async () => {
    const long = bytes("x".repeat(600));
    const found = await read([long, long, long, bytes("\nnext\n"), long, long]);
    expect(found).toEqual([{ kind: "too_long" }, line("next"), { kind: "too_long" }]);
    expect(await read([bytes(`${"x".repeat(1000)}\n${"y".repeat(1001)}\n`)])).toEqual([
      line("x".repeat(1000)),
      { kind: "too_long" },
    ]);
  });

  test("that are not UTF-8 are told", async () => {
    const found = await read([new Uint8Array([0x22, 0xc3, 0x0a]), bytes("é\n")]);
    expect(found).toEqual([{ kind: "not_utf8" }, line("é")]);
  });
});
