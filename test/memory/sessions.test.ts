import { describe, expect, test } from "bun:test";
import { folder } from "./helpers.ts";

describe("sessions", () => {
  const one = { sessionId: "s", userId: "100", channelId: "200", guildId: "300", tokenId: "t" };

  test("are opened, found again, counted and refused to others", async () => {
    using at = folder();
    {
      using memory = at.open();
      const first = await memory.sessions.open(one, 1000, 5000);
      expect(first.created).toBe(true);
      expect(first.session.conversationId).toBe(
        (await memory.turns.conversationId("100", "200", "300")) ?? "",
      );
      await Promise.all([
        memory.sessions.count("s", "message"),
        memory.sessions.count("s", "tool_call"),
        memory.sessions.count("s", "tool_call", 5),
        memory.sessions.touch("s", 2000, 6000),
      ]);
      await memory.sessions.setActiveTools("s", ["a", "b"]);
    }
    using memory = at.open();
    expect(await memory.sessions.open(one, 2500, 6500)).toMatchObject({
      created: false,
      session: {
        messageCount: 1,
        toolCallCount: 6,
        activeTools: ["a", "b"],
        lastUsedAt: 2500,
        createdAt: 1000,
      },
    });
    for (const other of [{ userId: "101" }, { channelId: "201" }])
      expect(memory.sessions.open({ ...one, ...other }, 2500, 6500)).rejects.toMatchObject({
        code: "session_conflict",
      });
    expect(await memory.sessions.get("none")).toBeNull();
  });

  test("expire: they are not counted, and removed in bounded batches", async () => {
    using at = folder();
    using memory = at.open({ now: () => 5000 });
    for (let i = 0; i < 501; i++) await memory.sessions.open({ ...one, sessionId: `old${i}` }, 1000, 2000);
    await memory.sessions.open(one, 1000, 6000);
    expect(await memory.sessions.countActive(5000)).toBe(1);
    expect(await memory.sessions.removeExpired(5000)).toHaveLength(500);
    expect(await memory.sessions.removeExpired(5000)).toHaveLength(1);
    expect(await memory.sessions.removeExpired(5000)).toHaveLength(0);
    expect((await memory.sessions.get("s"))?.id).toBe("s");
  });

  test("that expired begin anew for their owner", async () => {
    using at = folder();
    using memory = at.open();
    await memory.sessions.open(one, 1000, 2000);
    await memory.sessions.count("s", "message");
    expect(await memory.sessions.open(one, 3000, 4000)).toMatchObject({
      created: true,
      session: { messageCount: 0, createdAt: 3000 },
    });
  });

  test("of the chat are those that no token opened", async () => {
    using at = folder();
    using memory = at.open({ now: () => 5000 });
    await memory.sessions.open(one, 1000, 9000);
    expect(await memory.sessions.findChat("100", "200", "300")).toBeNull();
    await memory.sessions.open({ ...one, sessionId: "expired", tokenId: null }, 1000, 4000);
    expect(await memory.sessions.findChat("100", "200", "300")).toBeNull();
    await memory.sessions.open({ ...one, sessionId: "chat", tokenId: null }, 1000, 9000);
    expect((await memory.sessions.findChat("100", "200", "300"))?.id).toBe("chat");
  });
});

test("preferences are each person's own", async () => {
  using at = folder();
  {
    using memory = at.open();
    await memory.preferences.set("1", { language: "de", instructions: "Kurz, bitte." });
  }
  using memory = at.open();
  expect(await memory.preferences.get("1")).toEqual({ language: "de", instructions: "Kurz, bitte." });
  expect(await memory.preferences.get("2")).toEqual({});
});

describe("API tokens", () => {
  const token = {
    id: "t",
    name: "laptop",
    secretHash: Uint8Array.of(1, 2, 3),
    userId: "100",
    scopes: ["sessions", "turns"] as const,
    guildIds: ["300"],
    createdAt: 1,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
  };

  test("come back as they were given", async () => {
    using at = folder();
    using memory = at.open();
    await memory.tokens.insert(token);
    await memory.tokens.insert({ ...token, id: "o", userId: null, guildIds: null, createdAt: 2 });
    expect(await memory.tokens.get("t")).toEqual(token);
    expect((await memory.tokens.list()).map(({ id }) => id)).toEqual(["t", "o"]);
    expect(memory.tokens.insert(token)).rejects.toThrow();
    expect(await memory.tokens.get("none")).toBeNull();
  });

  test("are revoked once, and touched at most once a minute", async () => {
    using at = folder();
    using memory = at.open();
    await memory.tokens.insert(token);
    expect(await memory.tokens.revoke("t", 10)).toBe(true);
    expect(await memory.tokens.revoke("t", 20)).toBe(false);
    expect(await memory.tokens.revoke("none", 20)).toBe(false);
    const used = async (now: number) => {
      await memory.tokens.touch("t", now);
      return (await memory.tokens.get("t"))?.lastUsedAt;
    };
    expect([await used(1000), await used(60_999), await used(61_000)]).toEqual([1000, 1000, 61_000]);
    expect((await memory.tokens.get("t"))?.revokedAt).toBe(10);
  });
});
