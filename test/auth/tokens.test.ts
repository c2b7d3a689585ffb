import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { ApiToken, ApiTokenStore } from "../../src/auth/ports.ts";
import {
  createOperatorTokenIfNone,
  createTokens,
  type NewToken,
  operatorScopes,
} from "../../src/auth/tokens.ts";
import { altered, ana, Clock, harbour, refusal, tokenStore } from "./harness.ts";

const anas: NewToken = {
  name: "Ana's laptop",
  userId: ana,
  scopes: ["tools", "sessions"],
  guildIds: [harbour, harbour],
  expiresAt: null,
};

describe("API tokens", () => {
  test("are verified after being made, and only a hash of the secret is stored", async () => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const { token, record } = await createTokens(place.store, clock.now).create(anas);

    expect(token).toMatch(/^dmcp_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    const found = await createTokens(place.store, clock.now).verify(token);
    expect(found).toMatchObject({
      id: record.id,
      userId: ana,
      scopes: ["sessions", "tools"],
      guildIds: [harbour],
    });
    const secret = token.split("_").slice(2).join("_");
    expect(Buffer.from(found.secretHash)).toEqual(createHash("sha256").update(secret).digest());
    expect(JSON.stringify(await place.store.list())).not.toContain(secret);
  });

  test("two are never alike", async () => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const tokens = createTokens(place.store, clock.now);
    const made = await Promise.all(Array.from({ length: 20 }, () => tokens.create(anas)));
    expect(new Set(made.map(({ token }) => token)).size).toBe(20);
    expect(new Set(made.map(({ record }) => record.id)).size).toBe(20);
    expect(await tokens.list()).toHaveLength(20);
  });

  test("forged, truncated, prolonged and foreign ones are refused with the same sentence", async () => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const tokens = createTokens(place.store, clock.now);
    const { token } = await tokens.create(anas);
    const other = await tokens.create(anas);
    const [, id = "", ...secret] = token.split("_");
    const bad = [
      altered(token, -1),
      altered(token, 30),
      token.slice(0, -1),
      `${token}A`,
      ` ${token}`,
      `${token}\n`,
      token.toUpperCase(),
      `dmcp_${other.record.id}_${secret.join("_")}`,
      `dmcp_${"0".repeat(16)}_${secret.join("_")}`,
      `dmcp_${id}_`,
      `dmcs_${id}_${secret.join("_")}`,
      "dmcp_",
      "",
    ];
    const answers = await Promise.all(bad.map((one) => refusal(() => tokens.verify(one))));
    expect(new Set(answers.map(({ message }) => message)).size).toBe(1);
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(["unauthorized"]));
    expect((await tokens.verify(token)).id).toBe(id);
  });

  test("a revoked one is refused at once, though it was just used", async () => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const tokens = createTokens(place.store, clock.now);
    const { token, record } = await tokens.create(anas);
    await tokens.verify(token);
    expect(await tokens.live(record.id)).not.toBeNull();

    expect(await tokens.revoke(record.id)).toBe(true);
    expect(await refusal(() => tokens.verify(token))).toMatchObject({
      code: "unauthorized",
      message: expect.stringContaining("revoked"),
    });
    expect(await tokens.live(record.id)).toBeNull();
    expect(await tokens.revoke(record.id)).toBe(false);
    expect(await tokens.revoke("0000000000000000")).toBe(false);
  });

  test("a look-up that overlaps a revocation leaves nothing behind", async () => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const { token, record } = await createTokens(place.store, clock.now).create(anas);
    const held = Promise.withResolvers<void>();
    const slow: ApiTokenStore = {
      ...place.store,
      async get(id) {
        const before = await place.store.get(id);
        await held.promise;
        return before;
      },
    };
    const tokens = createTokens(slow, clock.now);
    const during = tokens.live(record.id);
    await tokens.revoke(record.id);
    held.resolve();
    await during;
    expect(await refusal(() => tokens.verify(token))).toMatchObject({ code: "unauthorized" });
  });

  test("expire to the millisecond, in the cache too", async () => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const tokens = createTokens(place.store, clock.now);
    const { token } = await tokens.create({ ...anas, expiresAt: clock.at + 1000 });
    clock.at += 999;
    await tokens.verify(token);
    clock.at += 1;
    expect(await refusal(() => tokens.verify(token))).toMatchObject({
      message: expect.stringContaining("expired"),
    });
  });

  test("the last use is written, at most once a minute", async () => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const touches: number[] = [];
    const watched: ApiTokenStore = {
      ...place.store,
      async touch(id, now) {
        touches.push(now);
        await place.store.touch(id, now);
      },
    };
    const tokens = createTokens(watched, clock.now);
    const { token } = await tokens.create(anas);
    const first = clock.at;
    for (let step = 0; step < 4; step++) {
      await tokens.verify(token);
      clock.at += 20_000;
    }
    expect(touches).toEqual([first, first + 60_000]);
  });

  test.each<[string, Partial<NewToken>]>([
    ["an empty name", { name: " " }],
    ["a long name", { name: "x".repeat(101) }],
    ["a name that would steer a terminal", { name: "Ana's \u001b[31m" }],
    ["a name that turns the line around", { name: "Ana's \u202e" }],
    ["no scope", { scopes: [] }],
    ["a user that is no id", { userId: "ana" }],
    ["a guild that is no id", { guildIds: ["harbour"] }],
    ["an empty list of guilds", { guildIds: [] }],
    ["an expiry in the past", { expiresAt: 1 }],
    ["an expiry that is no number", { expiresAt: Number.NaN }],
    ["the bot's power for a user", { scopes: ["act:bot"] }],
  ])("%s is refused", async (_what, part) => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const tokens = createTokens(place.store, clock.now);
    expect((await refusal(() => tokens.create({ ...anas, ...part }))).code).toBe("invalid_data");
    expect(await tokens.list()).toEqual([]);
  });
});

describe("the first operator's token", () => {
  test("is made when there is none, written before it is stored, and works", async () => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const written: string[] = [];
    let storedWhenWritten: readonly ApiToken[] = [];
    const record = await createOperatorTokenIfNone(
      place.store,
      async (token) => {
        storedWhenWritten = await place.store.list();
        written.push(token);
      },
      clock.now,
    );
    expect(storedWhenWritten).toEqual([]);
    expect(record).toMatchObject({ userId: null, guildIds: null, expiresAt: null });
    const tokens = createTokens(place.store, clock.now);
    expect((await tokens.verify(written[0] ?? "")).scopes).toEqual([...operatorScopes]);
    expect(operatorScopes).not.toContain("act:bot");
  });

  test("is not made again, also not when all were revoked", async () => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const first = await createOperatorTokenIfNone(place.store, async () => {});
    await createTokens(place.store).revoke(first?.id ?? "");
    const write = () => Promise.reject(new Error("not to be written"));
    expect(await createOperatorTokenIfNone(place.store, write)).toBeNull();
  });

  test("is not stored when it cannot be written, so that the next start tries again", async () => {
    const clock = new Clock();
    await using place = await tokenStore(clock);
    const failing = createOperatorTokenIfNone(place.store, () => Promise.reject(new Error("disk full")));
    await expect(failing).rejects.toThrow("disk full");
    expect(await place.store.list()).toEqual([]);
  });
});
