import { describe, expect, test } from "bun:test";
import { createAuthenticator } from "../../src/auth/authenticate.ts";
import type { Principal } from "../../src/auth/ports.ts";
import { clockSkewMs, createSessionTokens } from "../../src/auth/session-token.ts";
import { createTickets } from "../../src/auth/tickets.ts";
import { createTokens, type NewToken } from "../../src/auth/tokens.ts";
import { ana, Clock, general, harbour, refusal, secretKey, tokenStore } from "./harness.ts";

const anas: NewToken = {
  name: "Ana's",
  userId: ana,
  scopes: ["sessions", "tools", "metrics"],
  guildIds: [harbour],
  expiresAt: null,
};

async function door(mode: "required" | "off" = "required") {
  const clock = new Clock();
  const place = await tokenStore(clock);
  const tokens = createTokens(place.store, clock.now);
  const sessionTokens = createSessionTokens({ secretKey, now: clock.now, ttlMs: 60 * 60 * 1000 });
  const tickets = createTickets({ now: clock.now });
  const authenticator = createAuthenticator({ tokens, sessionTokens, tickets, mode, now: clock.now });
  const { token, record } = await tokens.create(anas);
  const claims = { sessionId: "s_1", userId: ana, channelId: general, tokenId: record.id };
  return {
    ...authenticator,
    clock,
    tokens,
    token,
    record,
    claims,
    sessionToken: sessionTokens.issue(claims).token,
    sessionTokens,
    enter: (bearer: string) => authenticator.authenticate({ authorization: `Bearer ${bearer}` }),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

const plain = (principal: Principal) => ({
  ...principal,
  scopes: [...principal.scopes],
  guildIds: principal.guildIds === null ? null : [...principal.guildIds],
});

describe("who is at the door", () => {
  test("the bearer of an API token", async () => {
    await using at = await door();
    expect(plain(await at.enter(at.token))).toEqual({
      kind: "token",
      tokenId: at.record.id,
      userId: ana,
      sessionId: null,
      scopes: ["sessions", "tools", "metrics"],
      guildIds: [harbour],
    });
    const spelled = await at.authenticate({ authorization: `bearer   ${at.token} ` });
    expect(spelled.tokenId).toBe(at.record.id);
  });

  test("the bearer of a session token: that session, with what its API token may do there", async () => {
    await using at = await door();
    expect(plain(await at.enter(at.sessionToken))).toMatchObject({
      kind: "session",
      tokenId: at.record.id,
      userId: ana,
      sessionId: "s_1",
      channelId: general,
      scopes: ["sessions", "tools"],
      guildIds: [harbour],
    });
  });

  test("nobody, without a token: told what to send", async () => {
    await using at = await door();
    for (const presented of [{}, { authorization: null, ticket: null }]) {
      const { code, message } = await refusal(() => at.authenticate(presented));
      expect(code).toBe("unauthorized");
      expect(message).toContain("Authorization: Bearer");
    }
  });

  test("nobody, with a header that cannot be read or a token of another make", async () => {
    await using at = await door();
    const bad = [
      "",
      "Bearer",
      "Bearer ",
      at.token,
      `Basic ${at.token}`,
      `Bearer ${at.token} ${at.token}`,
      `Bearer ${"x".repeat(3000)}`,
      "Bearer eyJhbGciOiJub25lIn0.e30.",
      `Bearer dmct_${"A".repeat(43)}`,
    ];
    for (const authorization of bad) {
      const { code, message } = await refusal(() => at.authenticate({ authorization }));
      expect(code).toBe("unauthorized");
      expect(message).not.toContain(at.token);
    }
  });

  test("a revocation ends the API token, its session tokens, its tickets and who is inside", async () => {
    await using at = await door();
    const inside = [await at.enter(at.token), await at.enter(at.sessionToken)];
    const ticket = at.issueTicket(await at.enter(at.token)).token;
    for (const principal of inside) expect(await at.stillValid(principal)).toBe(true);
    await at.tokens.revoke(at.record.id);
    for (const principal of inside) expect(await at.stillValid(principal)).toBe(false);
    expect((await refusal(() => at.enter(at.token))).code).toBe("unauthorized");
    expect((await refusal(() => at.enter(at.sessionToken))).code).toBe("unauthorized");
    expect((await refusal(() => at.authenticate({ ticket }))).code).toBe("unauthorized");
  });

  test("a session token's end also ends who came with it", async () => {
    await using at = await door();
    const inside = await at.enter(at.sessionToken);
    at.clock.at += 60 * 60 * 1000 + clockSkewMs - 1;
    expect(await at.stillValid(inside)).toBe(true);
    at.clock.at += 1;
    expect(await at.stillValid(inside)).toBe(false);
  });

  test("a ticket stands for whom it was issued to, once; a wrong header is not saved by it", async () => {
    await using at = await door();
    const ticket = at.issueTicket(await at.enter(at.sessionToken)).token;
    const wrong = { authorization: "Bearer nonsense", ticket };
    expect((await refusal(() => at.authenticate(wrong))).code).toBe("unauthorized");
    expect(await at.authenticate({ ticket })).toMatchObject({ kind: "session", sessionId: "s_1" });
    expect((await refusal(() => at.authenticate({ ticket }))).code).toBe("unauthorized");
  });

  test("a session token without an API token behind it counts only while authentication is off", async () => {
    await using off = await door("off");
    await using required = await door();
    const { token } = off.sessionTokens.issue({ ...off.claims, tokenId: null });
    const inside = await off.enter(token);
    expect(inside).toMatchObject({ kind: "session", tokenId: null, sessionId: "s_1" });
    expect(await off.stillValid(inside)).toBe(true);
    expect((await refusal(() => required.enter(token))).code).toBe("unauthorized");
    expect(await required.stillValid(inside)).toBe(false);
  });

  test("while authentication is off anybody, but a token that is presented must still be right", async () => {
    await using at = await door("off");
    const anybody = await at.authenticate({});
    expect(anybody).toMatchObject({ kind: "anonymous", tokenId: null, userId: null, guildIds: null });
    expect(await at.stillValid(anybody)).toBe(true);
    expect((await at.enter(at.token)).kind).toBe("token");
    expect((await refusal(() => at.enter("dmcp_wrong"))).code).toBe("unauthorized");
  });
});
