import { AppError } from "../errors.ts";

/**
 * Host and Origin: without these a page in somebody's browser could reach a service on loopback, by DNS
 * rebinding or by a cross-site WebSocket (which CORS does not hold back).
 * https://developer.mozilla.org/docs/Web/HTTP/Headers/Origin
 */
export interface Guards {
  /** Throws AppError `origin_refused`. */
  assertHost(host: string | null): void;
  /** Absent is fine (no browser); present it must be this host's or in the CORS list. */
  assertOrigin(origin: string | null, host: string | null): void;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export function createGuards(
  allowedHosts: readonly string[],
  corsOrigins: readonly string[],
  boundHost: string,
): Guards {
  const hosts = new Set([...allowedHosts, bracketed(boundHost)].map((host) => host.toLowerCase()));
  const origins = new Set(corsOrigins.map((origin) => origin.toLowerCase()));
  return {
    assertHost(host) {
      const name = host === null ? "" : withoutPort(host.toLowerCase());
      if (loopback.test(name) || hosts.has(name) || (host !== null && hosts.has(host.toLowerCase()))) return;
      throw new AppError(
        "origin_refused",
        "This service does not answer to that host name; its operator can add it to ALLOWED_HOSTS.",
      );
    },
    assertOrigin(origin, host) {
      if (origin === null) return;
      const given = origin.toLowerCase();
      if (origins.has(given) || (host !== null && hostOf(given) === host.toLowerCase())) return;
      throw new AppError(
        "origin_refused",
        "Pages of that origin may not call this service; its operator can add it to CORS_ORIGINS.",
      );
    },
  };
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "");
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? origin.slice(origin.indexOf("//") + 2) : null;
}
