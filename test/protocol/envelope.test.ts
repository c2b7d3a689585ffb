import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../src/errors.ts";
import { binaryFrame, parseBytes, parseFrame } from "../../src/protocol/envelope.ts";

const good = { type: "process", id: "1", data: { session_id: "s", message: "hi" } };
const refusal = (frame: unknown) => {
  const parsed = parseFrame(typeof frame === "string" ? frame : JSON.stringify(frame));
  return parsed.ok
    ? "ok"
    : { code: parsed.reply.data.code, id: parsed.reply.id, path: parsed.reply.data.path };
};

describe("a frame", () => {
  test("is an envelope", () => {
    expect(parseFrame(` ${JSON.stringify({ ...good, metadata: { a: [1] } })}`)).toEqual({
      ok: true,
      envelope: { ...good, type: "process", metadata: { a: [1] } },
    });
  });

  test.each(["", "{", "nonsense", "{'a':1}", '{"a":1} x', "NaN", "\u0000"])("that is no JSON: %j", (text) => {
    expect(refusal(text)).toMatchObject({ code: "invalid_json", id: "" });
  });

  test.each([["null"], ["42"], ["true"], ['"x"'], ["[]"]])("that is JSON but no object: %s", (text) => {
    expect(refusal(text)).toMatchObject({ code: "invalid_envelope", id: "" });
  });

  test.each([
    [{ ...good, id: 7 }, "id", ""],
    [{ ...good, id: "" }, "id", ""],
    [{ ...good, id: "x".repeat(129) }, "id", ""],
    [{ type: "process", data: {} }, "id", ""],
    [{ ...good, type: 1 }, "type", "1"],
    [{ ...good, data: [] }, "data", "1"],
    [{ type: "process", id: "1" }, "data", "1"],
    [{ ...good, metadata: "x" }, "metadata", "1"],
    [{ ...good, metadata: null }, "metadata", "1"],
  ])("names the field that is wrong (%#)", (frame, path, id) => {
    expect(refusal(frame)).toEqual({ code: "invalid_envelope", id, path });
  });

  test("of an unknown type is told the known ones", () => {
    const parsed = parseFrame(JSON.stringify({ ...good, type: "constructor", metadata: { k: 1 } }));
    expect(parsed).toMatchObject({
      ok: false,
      reply: { id: "1", message_id: "1", metadata: { k: 1 }, data: { code: "unknown_type" } },
    });
    expect(parsed.ok ? [] : parsed.reply.data.known).toContain("initialize");
  });

  test("may be 64 KiB and 32 levels, no more, and the refusal carries its id", () => {
    const sized = (bytes: number) => {
      const empty = JSON.stringify({ ...good, data: { message: "" } }).length;
      return { ...good, data: { message: "x".repeat(bytes - empty) } };
    };
    expect(refusal(sized(65_536))).toBe("ok");
    expect(refusal(sized(65_537))).toMatchObject({ code: "payload_too_large", id: "1" });
    expect(refusal({ ...good, data: { message: "é".repeat(32_768) } })).toMatchObject({
      code: "payload_too_large",
      id: "1",
    });
    const deep = (levels: number) =>
      `{"type":"process","id":"1","data":{"a":${"[".repeat(levels)}${"]".repeat(levels)}}}`;
    expect(refusal(deep(30))).toBe("ok");
    expect(refusal(deep(31))).toMatchObject({ code: "payload_too_large", id: "1" });
    expect(refusal(deep(30_000))).not.toBe("ok");
  });

  test("never throws, and is refused with an error that is complete", () => {
    const field = fc.oneof(fc.string(), fc.jsonValue());
    const frame = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc
        .record({ type: field, id: field, data: field, metadata: field }, { requiredKeys: [] })
        .map((v) => JSON.stringify(v)),
    );
    fc.assert(
      fc.property(frame, (text) => {
        const parsed = parseFrame(text);
        if (parsed.ok) return;
        expect(parsed.reply).toMatchObject({ type: "error", message_id: parsed.reply.id });
        expect(parsed.reply.error.length).toBeGreaterThan(10);
      }),
      { numRuns: 300 },
    );
  });
});

describe("bytes", () => {
  const code = (bytes: Uint8Array) => {
    try {
      parseBytes(bytes);
      return "ok";
    } catch (error) {
      return error instanceof AppError ? error.code : error;
    }
  };

  test.each([
    [Buffer.from('{"a":"ä"}'), "ok"],
    [Uint8Array.of(0x22, 0xff, 0x22), "invalid_encoding"],
    [Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), "invalid_encoding"],
    [Buffer.from("{"), "invalid_json"],
    [Buffer.alloc(65_537, 32), "payload_too_large"],
  ])("%#", (bytes, expected) => {
    expect(code(bytes)).toBe(expected);
  });

  test("as a frame are refused as binary", () => {
    expect(binaryFrame().reply.data.code).toBe("binary_frame");
  });
});

test("JSON-RPC is told that it is at the wrong address, under its own id", () => {
  for (const id of ["7", 7]) {
    expect(parseFrame(JSON.stringify({ jsonrpc: "2.0", id, method: "ping" }))).toMatchObject({
      ok: false,
      reply: { id: "7", data: { code: "wrong_protocol" } },
    });
  }
});
