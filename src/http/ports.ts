import type { PlacesPort, Principal } from "../auth/ports.ts";
import type { Rules } from "../auth/rules.ts";
import type { Config } from "../config.ts";
import type { Limits } from "../limits/rate-limits.ts";
import type { Mcp } from "../mcp/server.ts";
import type { Metrics } from "../metrics.ts";
import type { Protocol } from "../protocol/handler.ts";
import type { Hearings } from "../protocol/hearing.ts";
import type { IssuedToken, ToolInfo, ToolsPort } from "../protocol/ports.ts";
import type { EventHub } from "../sessions/events.ts";
import type { Sessions } from "../sessions/service.ts";

/** Who is at the door. Throws AppError `unauthorized`, saying what to present. */
export interface AuthPort {
  /** `authorization` is the header as it came; `ticket` the query parameter of a socket. */
  authenticate(presented: {
    readonly authorization: string | null;
    readonly ticket: string | null;
  }): Promise<Principal>;
  /** Asked at each request of an open socket, so cheap: false once the token is revoked or has expired. */
  stillValid(principal: Principal): boolean | Promise<boolean>;
  /** Single use, short-lived, for a browser's socket. */
  issueTicket(principal: Principal): IssuedToken & { readonly token: string };
}

export interface InteractionsPort {
  /** Everything but a ping: resolves with the body of the response. Throws AppError `invalid_data`. */
  handle(body: unknown): Promise<unknown>;
  /** Throws AppError `unauthorized` when the signature is not Discord's, or too old. */
  verify(signed: {
    readonly signature: string | null;
    readonly timestamp: string | null;
    readonly body: string;
  }): void | Promise<void>;
}

export interface HealthPort {
  /** `ready`: whether requests can be served now. The details are for those with a token. */
  report(): Promise<{ readonly ready: boolean; readonly details: Readonly<Record<string, unknown>> }>;
}

export interface HttpDeps {
  readonly config: Pick<
    Config["http"],
    "allowedHosts" | "corsOrigins" | "trustProxy" | "maxConnections" | "maxConnectionsPerToken"
  >;
  readonly protocol: Protocol;
  readonly mcp: Mcp;
  readonly sessions: Pick<Sessions, "get" | "touch" | "countActive">;
  readonly events: EventHub;
  readonly hearings: Hearings;
  readonly tools: Pick<ToolsPort, "describe"> & { all(): readonly ToolInfo[] };
  readonly rules: Rules;
  readonly places: PlacesPort;
  readonly auth: AuthPort;
  readonly limits: Pick<Limits, "token" | "address">;
  /** Null without a public key: the route answers 404. */
  readonly interactions: InteractionsPort | null;
  readonly health: HealthPort;
  readonly metrics: Metrics;
  /** Sets the gauges that only the app can know, before they are read. */
  readonly refreshGauges?: () => void | Promise<void>;
  readonly version: string;
  readonly now: () => number;
}
