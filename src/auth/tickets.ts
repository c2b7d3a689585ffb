import { AppError } from "../errors.ts";
import type { Principal } from "./ports.ts";
import { newSecret, secretPattern, sha256 } from "./secrets.ts";

export interface Tickets {
  /** Throws AppError `rate_limited` when too many are out. */
  issue(principal: Principal): { readonly token: string; readonly expiresAt: number };
  /** Whom it was issued to; it works once. Throws AppError `unauthorized`. */
  redeem(ticket: string): Principal;
}

export interface TicketOptions {
  readonly now?: () => number;
  /** 60 s by default. */
  readonly ttlMs?: number;
  /** How many may be out at once: 10,000 by default. */
  readonly max?: number;
}

const form = new RegExp(`^dmct_${secretPattern}$`);

/**
 * Tickets for browsers, which cannot set headers on a WebSocket and must not put a token into an address:
 * addresses end up in logs, so what stands there works once and for a minute.
 */
export function createTickets(options: TicketOptions = {}): Tickets {
  const { now = Date.now, ttlMs = 60_000, max = 10_000 } = options;
  // Kept by hash: neither a look at the memory nor the time of a look-up gives a ticket away.
  const open = new Map<string, { readonly principal: Principal; readonly expiresAt: number }>();
  const keyOf = (ticket: string) => Buffer.from(sha256(ticket)).toString("base64");

  /** False also for one that was made while the clock was ahead of what it is now. */
  const lives = (expiresAt: number, at: number) => expiresAt > at && expiresAt <= at + ttlMs;

  /** All live equally long, so the oldest stand first. */
  function removeExpired(at: number): void {
    for (const [key, { expiresAt }] of open) {
      if (lives(expiresAt, at)) return;
      open.delete(key);
    }
  }

  return {
    issue(principal) {
      const at = now();
      removeExpired(at);
      if (open.size >= max) {
        throw new AppError("rate_limited", "Too many tickets wait to be used; try again in a minute.", {
          retryAfterMs: ttlMs,
        });
      }
      const token = `dmct_${newSecret()}`;
      const expiresAt = at + ttlMs;
      open.set(keyOf(token), { principal, expiresAt });
      return { token, expiresAt };
    },
    redeem(ticket) {
      const key = form.test(ticket) ? keyOf(ticket) : "";
      const found = open.get(key);
      open.delete(key);
      if (found === undefined || !lives(found.expiresAt, now())) {
        throw new AppError(
          "unauthorized",
          "This ticket is not valid: it works once, and for a minute. Ask for a new one with POST /mcp/tickets.",
        );
      }
      return found.principal;
    },
  };
}
