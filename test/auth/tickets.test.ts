import { describe, expect, test } from "bun:test";
import type { Principal } from "../../src/auth/ports.ts";
import { createTickets } from "../../src/auth/tickets.ts";
import { altered, ana, Clock, refusal } from "./harness.ts";

const principal: Principal = {
  kind: "token",
  tokenId: "t",
  userId: ana,
  sessionId: null,
  scopes: new Set(["sessions"]),
  guildIds: null,
};

describe("tickets", () => {
  test("work once, for whom they were issued to", async () => {
    const clock = new Clock();
    const tickets = createTickets({ now: clock.now });
    const { token, expiresAt } = tickets.issue(principal);
    const other = tickets.issue({ ...principal, tokenId: "u" });
    expect(expiresAt).toBe(clock.at + 60_000);
    expect(tickets.redeem(token)).toBe(principal);
    expect((await refusal(() => tickets.redeem(token))).code).toBe("unauthorized");
    expect(tickets.redeem(other.token).tokenId).toBe("u");
  });

  test("work for a minute", async () => {
    const clock = new Clock();
    const tickets = createTickets({ now: clock.now });
    const [inTime, late] = [tickets.issue(principal), tickets.issue(principal)];
    clock.at += 59_999;
    expect(tickets.redeem(inTime.token)).toBe(principal);
    clock.at += 1;
    expect((await refusal(() => tickets.redeem(late.token))).code).toBe("unauthorized");
  });

  test("made while the clock was ahead are good for nothing once it is right again, and take no room", async () => {
    const clock = new Clock();
    const tickets = createTickets({ now: clock.now, max: 1 });
    clock.at += 3_600_000;
    const { token } = tickets.issue(principal);
    clock.at -= 3_600_000;
    const fresh = tickets.issue(principal);
    expect((await refusal(() => tickets.redeem(token))).code).toBe("unauthorized");
    expect(tickets.redeem(fresh.token)).toBe(principal);
  });

  test("forged ones are refused and use nothing up", async () => {
    const tickets = createTickets();
    const { token } = tickets.issue(principal);
    for (const bad of [altered(token, -1), token.slice(0, -1), `${token}A`, "", "dmct_", "__proto__"])
      expect((await refusal(() => tickets.redeem(bad))).code).toBe("unauthorized");
    expect(tickets.redeem(token)).toBe(principal);
  });

  test("no more are out than allowed; expired and used ones make room, others stay good", async () => {
    const clock = new Clock();
    const tickets = createTickets({ now: clock.now, max: 2 });
    const first = tickets.issue(principal);
    const second = tickets.issue(principal);
    expect((await refusal(() => tickets.issue(principal))).code).toBe("rate_limited");
    tickets.redeem(first.token);
    clock.at += 30_000;
    tickets.issue(principal);
    expect((await refusal(() => tickets.issue(principal))).code).toBe("rate_limited");
    expect(tickets.redeem(second.token)).toBe(principal);
    tickets.issue(principal);
    clock.at += 60_000;
    tickets.issue(principal);
    tickets.issue(principal);
  });
});
