import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import type { Guards } from "./guards.ts";
import type { HttpDeps } from "./ports.ts";

/** Who may come in: what every route asks before it does anything. Each method throws the AppError to answer with. */
export interface Door {
  /** Of every request: host, origin, and how often this address came. */
  knock(request: Request, address: string): Promise<void>;
  /** A known token, not used too often. `ticket` is for sockets alone. */
  enter(request: Request, address: string, ticket?: string | null): Promise<Principal>;
  /** Once the body has come, for which whoever is in may have taken their time: the token is still good. */
  stillIn(principal: Principal): Promise<void>;
}

export function createDoor(deps: Pick<HttpDeps, "auth" | "limits">, guards: () => Guards): Door {
  return {
    async knock(request, address) {
      const host = request.headers.get("host");
      guards().assertHost(host);
      guards().assertOrigin(request.headers.get("origin"), host);
      await deps.limits.address.take(address);
    },
    async enter(request, address, ticket = null) {
      const authorization = request.headers.get("authorization");
      const principal = await deps.auth.authenticate({ authorization, ticket });
      await deps.limits.token.take(principal.tokenId ?? `address:${address}`);
      return principal;
    },
    async stillIn(principal) {
      if (await deps.auth.stillValid(principal)) return;
      throw new AppError(
        "unauthorized",
        "The token of this request has been revoked or has expired; use another one.",
      );
    },
  };
}

export type Dialect = "json" | "mcp";

/**
 * Which dialect a socket is to speak, by the subprotocols that its client offers: none is the JSON protocol.
 * https://www.rfc-editor.org/rfc/rfc6455#section-1.9
 */
export function dialectOf(offered: string | null): Dialect {
  if (offered === null || offered.trim() === "") return "json";
  const names = offered.split(",").map((name) => name.trim());
  if (names.includes("mcp")) return "mcp";
  throw new AppError(
    "wrong_protocol",
    "None of the offered subprotocols is known; offer mcp for the Model Context Protocol, or none for the JSON protocol.",
  );
}
