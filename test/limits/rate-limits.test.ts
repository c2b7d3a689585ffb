import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { createLimit, createLimits, type LimitName, limitNames } from "../../src/limits/rate-limits.ts";

const rate = { points: 2, seconds: 60 };
const rates = { token: rate, address: rate, user: rate, guild: { points: 1, seconds: 1 }, changes: rate };

async function refused(take: Promise<void>): Promise<AppError> {
  const error: unknown = await take.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw new Error(`It was not refused as it should be: ${error}`);
}

describe("limits", () => {
  test("let so many through, then say when to come back, and tell of each refusal", async () => {
    const heard: LimitName[] = [];
    const { token } = createLimits(rates, (name) => heard.push(name));
    await token.take("a");
    await token.take("a");
    expect(heard).toEqual([]);
    for (let again = 0; again < 2; again++) {
      const { code, message, retryAfterMs = 0 } = await refused(token.take("a"));
      expect(code).toBe("rate_limited");
      expect(retryAfterMs).toBeGreaterThan(55_000);
      expect(retryAfterMs).toBeLessThanOrEqual(60_000);
      expect(message).toMatch(/^This token has made too many requests; try again in (5\d|60) s\.$/);
    }
    expect(heard).toEqual(["token", "token"]);
  });

  test("count each key by itself, and each limit by itself", async () => {
    const limits = createLimits(rates, () => {});
    for (const name of limitNames) await limits[name].take("a");
    await limits.token.take("b");
    await limits.token.take("a");
    await limits.token.take("b");
    expect((await refused(limits.token.take("a"))).code).toBe("rate_limited");
    await limits.user.take("a");
    expect((await refused(limits.guild.take("a"))).message).toStartWith("This server");
  });

  test("two services in one process do not share them", async () => {
    const [one, other] = [createLimits(rates, () => {}), createLimits(rates, () => {})];
    await one.guild.take("a");
    await other.guild.take("a");
    await refused(other.guild.take("a"));
  });

  test("of requests at once no more get through than allowed", async () => {
    const { address } = createLimits(rates, () => {});
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => address.take("a")));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
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
    await address.take(one);
    if (isSame) await refused(address.take(other));
    else await address.take(other);
  });

  test("keys that look like an object's own are keys like others", async () => {
    const { guild } = createLimits(rates, () => {});
    for (const key of ["__proto__", "constructor", "toString", ""]) {
      await guild.take(key);
      await refused(guild.take(key));
    }
  });
});

test("no more keys are counted than the bound: the one whose window began first begins anew", async () => {
  const limit = createLimit({ points: 1, seconds: 60 }, "Too much", { most: 100 });
  for (let n = 0; n < 1000; n++) await limit.take(`key ${n}`);
  await refused(limit.take("key 999"));
  await refused(limit.take("key 900"));
  await limit.take("key 899");
  await limit.take("key 900");
});
