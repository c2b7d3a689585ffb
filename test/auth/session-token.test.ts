import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { clockSkewMs, createSessionTokens } from "../../src/auth/session-token.ts";
import { altered, ana, Clock, general, refusal, secretKey } from "./harness.ts";

const otherKey = "another key for tests that is long enough to be taken";
const claims = { sessionId: "s_1", userId: ana, channelId: general, tokenId: "00112233aabbccdd" };

describe("session tokens", () => {
  test("give back what they were made for", () => {
    const clock = new Clock();
    const tokens = createSessionTokens({ secretKey, now: clock.now, ttlMs: 1000 });
    const { token, expiresAt } = tokens.issue(claims);
    expect(expiresAt).toBe(clock.at + 1000);
    expect(tokens.verify(token)).toEqual({ ...claims, expiresAt });
  });

  test("hold any claims, also long and strange ones, and stay within a header", () => {
    const tokens = createSessionTokens({ secretKey });
    fc.assert(
      fc.property(fc.string({ maxLength: 128 }), fc.option(fc.string()), (sessionId, tokenId) => {
        const { token, expiresAt } = tokens.issue({ ...claims, sessionId, tokenId });
        fc.pre(token.length <= 1024);
        expect(tokens.verify(token)).toEqual({ ...claims, sessionId, tokenId, expiresAt });
      }),
    );
  });

  test("no character can be changed, taken or added", async () => {
    const tokens = createSessionTokens({ secretKey });
    const { token } = tokens.issue(claims);
    const bad = [...token].map((_character, at) => altered(token, at));
    bad.push(
      token.slice(0, -1),
      `${token}A`,
      token.slice(1),
      `${token}=`,
      token.replace(".", ".."),
      "dmcs_.",
    );
    for (const one of bad) expect((await refusal(() => tokens.verify(one))).code).toBe("unauthorized");
  });

  test("the signature has one spelling only", async () => {
    const tokens = createSessionTokens({ secretKey });
    const { token } = tokens.issue(claims);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const accepted = [...alphabet].filter((last) => {
      try {
        tokens.verify(token.slice(0, -1) + last);
        return true;
      } catch {
        return false;
      }
    });
    expect(accepted).toEqual([token.slice(-1)]);
  });

  test("claims of one token do not go with the signature of another", async () => {
    const tokens = createSessionTokens({ secretKey });
    const [mine = ""] = tokens.issue(claims).token.split(".");
    const [, theirs = ""] = tokens.issue({ ...claims, sessionId: "s_2" }).token.split(".");
    expect((await refusal(() => tokens.verify(`${mine}.${theirs}`))).code).toBe("unauthorized");
  });

  test("a foreign key's are refused, the previous key's are not", async () => {
    const { token } = createSessionTokens({ secretKey: otherKey }).issue(claims);
    expect((await refusal(() => createSessionTokens({ secretKey }).verify(token))).code).toBe("unauthorized");
    const changed = createSessionTokens({ secretKey, secretKeyPrevious: otherKey });
    expect(changed.verify(token)).toMatchObject(claims);
    const { token: fresh } = changed.issue(claims);
    expect(createSessionTokens({ secretKey }).verify(fresh)).toMatchObject(claims);
  });

  test("they end, with a little patience for clocks that differ", async () => {
    const clock = new Clock();
    const tokens = createSessionTokens({ secretKey, now: clock.now, ttlMs: 1000 });
    const { token } = tokens.issue(claims);
    clock.at += 1000 + clockSkewMs - 1;
    expect(tokens.verify(token)).toMatchObject(claims);
    clock.at += 1;
    expect(await refusal(() => tokens.verify(token))).toMatchObject({
      code: "unauthorized",
      message: expect.stringContaining("expired"),
    });
  });

  test("of a clock that was ahead are refused until their time, or they would outlive all others", async () => {
    const clock = new Clock();
    const tokens = createSessionTokens({ secretKey, now: clock.now, ttlMs: 1000 });
    const { token } = tokens.issue(claims);
    clock.at -= clockSkewMs;
    expect(tokens.verify(token)).toMatchObject(claims);
    clock.at -= 1;
    expect((await refusal(() => tokens.verify(token))).code).toBe("unauthorized");
  });

  test("the longest that is made is accepted, and what is longer is not even read", async () => {
    const tokens = createSessionTokens({ secretKey });
    const { token } = tokens.issue({ ...claims, sessionId: "s".repeat(128), tokenId: "0".repeat(16) });
    expect(tokens.verify(token).sessionId).toHaveLength(128);
    const long = tokens.issue({ ...claims, sessionId: "s".repeat(2000) }).token;
    expect((await refusal(() => tokens.verify(long))).code).toBe("unauthorized");
  });
});
