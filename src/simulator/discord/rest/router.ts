import type { Route } from "./context.ts";
import { DiscordError, methodNotAllowed, noSuchRoute } from "./errors.ts";

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  /** What the rate limit counts by, besides the route: the channel, guild or webhook. */
  readonly major: string;
}

interface Compiled {
  readonly route: Route;
  readonly parts: readonly string[];
}

/** Finds a route by its parts; fixed parts win over parameters, so that /users/@me is not a user's id. */
export class Router {
  readonly #byLength = new Map<number, Compiled[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const parts = route.pattern.split("/").slice(1);
      const same = this.#byLength.get(parts.length) ?? [];
      same.push({ route, parts });
      same.sort((a, b) => parameters(a) - parameters(b));
      this.#byLength.set(parts.length, same);
    }
  }

  /** Throws DiscordError: 404 for no such path, 405 for a path without that method. */
  match(method: string, path: string): Match {
    const parts = path.split("/").slice(1);
    const fitting = (this.#byLength.get(parts.length) ?? []).filter((one) =>
      one.parts.every((part, at) => part.startsWith(":") || part === parts[at]),
    );
    const found = fitting.find((one) => one.route.method === method);
    if (found === undefined) throw fitting.length === 0 ? noSuchRoute() : methodNotAllowed();
    const params: Record<string, string> = {};
    found.parts.forEach((part, at) => {
      if (part.startsWith(":")) params[part.slice(1)] = parts[at] ?? "";
    });
    return { route: found.route, params, major: majorOf(params) };
  }
}

function majorOf(params: Readonly<Record<string, string>>): string {
  return (
    params.channelId ??
    params.guildId ??
    (params.token === undefined ? "" : `${params.applicationId ?? ""}:${params.token}`)
  );
}

function parameters(compiled: Compiled): number {
  return compiled.parts.filter((part) => part.startsWith(":")).length;
}

/** Decoded part by part, so that an encoded slash in an emoji stays in its part. */
export function decodePath(pathname: string): string {
  try {
    return pathname
      .split("/")
      .map((part) => decodeURIComponent(part).replaceAll("/", "%2F"))
      .join("/");
  } catch {
    throw new DiscordError(400, 0, "400: Bad Request");
  }
}
