import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createStateSeal } from "../../src/mcp/sealed-state.ts";

const now = 1_700_000_000_000;
const state = { approvalId: "a1", turnId: null, expiresAt: now + 1000 };
const me = '["token","user","guild","channel"]';
const seal = createStateSeal("k".repeat(43), () => now);
const refused = expect.objectContaining({
  code: "invalid_data",
  message: "This state is not ours, or has expired; make the call again.",
});

function opening(text: string, boundTo = me, with_ = seal): unknown {
  try {
    return with_.open(text, boundTo);
  } catch (error) {
    return error;
  }
}

describe("sealed state", () => {
  test("comes back as it was, and says nothing on its way", () => {
    const sealed = seal.seal(state, me);
    expect(opening(sealed)).toEqual(state);
    expect(Buffer.from(sealed, "base64url").toString("latin1")).not.toContain("a1");
    expect(seal.seal(state, me)).not.toBe(sealed);
  });

  test("is refused with any bit altered", () => {
    const bytes = Buffer.from(seal.seal(state, me), "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const altered = Buffer.from(bytes);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(opening(altered.toString("base64url"))).toEqual(refused);
    }
  });

  test("is refused cut short, made longer, or made up", () => {
    const sealed = seal.seal(state, me);
    for (let length = 0; length < sealed.length; length++)
      expect(opening(sealed.slice(0, length))).toEqual(refused);
    expect(opening(`${sealed}AAAA`)).toEqual(refused);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(opening(text)).toEqual(refused);
      }),
    );
  });

  test("is refused to anybody else, with another key, and from when it has expired", () => {
    const sealed = seal.seal(state, me);
    expect(opening(sealed, '["token","user","guild","other"]')).toEqual(refused);
    expect(
      opening(
        sealed,
        me,
        createStateSeal("l".repeat(43), () => now),
      ),
    ).toEqual(refused);
    expect(
      opening(
        sealed,
        me,
        createStateSeal("k".repeat(43), () => now + 999),
      ),
    ).toEqual(state);
    expect(
      opening(
        sealed,
        me,
        createStateSeal("k".repeat(43), () => now + 1000),
      ),
    ).toEqual(refused);
  });
});
