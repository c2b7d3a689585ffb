import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { createLimits, type Limit, type LimitName, limitNames } from "../../src/limits/rate-limits.ts";

const rate = { points: 2, seconds: 60 };
const rates = { token: rate, address: rate, user: rate, guild: { points: 1, seconds: 1 }, changes: rate };

function refused(limit: Limit, key: string): AppError {
  try {
    limit.take(key);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

describe("limits", () => {
  test("let so many through, then say when to come back, and tell of each refusal", () => {
    const heard: LimitName[] = [];
    const { token } = createLimits(rates, (name) => heard.push(name));
    token.take("a");
    token.take("a");
    expect(heard).toEqual([]);
    for (let again = 0; again < 2; again++) {
      const { code, message, retryAfterMs = 0 } = refused(token, "a");
      expect(code).toBe("rate_limited");
      expect(retryAfterMs).toBeGreaterThan(55_000);
      expect(retryAfterMs).toBeLessThanOrEqual(60_000);
      expect(message).toMatch(/^This token has made too many requests; try again in (5\d|60) s\.$/);
    }
    expect(heard).toEqual(["token", "token"]);
  });

  test("count each key by itself, and each limit by itself", () => {
    const limits = createLimits(rates, () => {});
    for (const name of limitNames) limits[name].take("a");
    limits.token.take("b");
    limits.token.take("a");
    limits.token.take("b");
    expect(refused(limits.token, "a").code).toBe("rate_limited");
    limits.user.take("a");
    expect(refused(limits.guild, "a").message).toStartWith("This server");
  });

  test("two services in one process do not share them", () => {
    const [one, other] = [createLimits(rates, () => {}), createLimits(rates, () => {})];
    one.guild.take("a");
    other.guild.take("a");
    refused(other.guild, "a");
  });

  test.each<[string, string, boolean]>([
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", true],
    ["2001:db8:1:2::1", "2001:0DB8:0001:0002:0000:0000:0000:0009", true],
    ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["2001:db8::1", "2001:db8:0:1::1", false],
    ["2001:db8::1", "2001:db8:0:0:5::", true],
    ["::1", "::2", true],
    ["::1", "1::", false],
    ["192.0.2.1", "192.0.2.2", false],
    ["192.0.2.1", "::ffff:192.0.2.1", true],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
    ["unknown", "unknown ", false],
    ["[", "]", false],
  ])("the addresses %s and %s are one customer: %p", async (one, other, isSame) => {
    const { address } = createLimits({ ...rates, address: { points: 1, seconds: 60 } }, () => {});
    address.take(one);
    if (isSame) refused(address, other);
    else address.take(other);
  });

  test("keys that look like an object's own are keys like others", () => {
    const { guild } = createLimits(rates, () => {});
    for (const key of ["__proto__", "constructor", "toString", ""]) {
      guild.take(key);
      refused(guild, key);
    }
  });
});
