import type { Authenticator } from "../auth/authenticate.ts";
import type { Principal } from "../auth/ports.ts";
import { operatorScopes } from "../auth/tokens.ts";
import type { ChannelCredentials, ControlChannel } from "../control/channels.ts";
import { AppError } from "../errors.ts";
import type { Limits } from "../limits/rate-limits.ts";
import { type ServedChannel, serveChannel } from "../mcp/channel.ts";
import type { Mcp } from "../mcp/server.ts";

export interface AppChannelsDeps {
  readonly mcp: Mcp;
  readonly auth: Pick<Authenticator, "authenticate" | "stillValid">;
  readonly limits: Pick<Limits, "token">;
  readonly draining: () => boolean;
}

/** Programs on this machine that speak the Model Context Protocol over the control socket. */
export interface AppChannels {
  serve(channel: ControlChannel, credentials: ChannelCredentials): Promise<void>;
  /** Closes those whose token is not valid any more. */
  closeInvalid(): Promise<void>;
  /** Waits at most so long until nothing is being worked on. */
  settled(boundMs: number): Promise<void>;
}

/** How often it is looked whether everything is answered, in milliseconds. */
const tickMs = 20;

interface Open {
  readonly principal: Principal;
  readonly channel: ControlChannel;
  served: ServedChannel | null;
}

/** Whoever may open the socket is the operator, with every right but the bot's own. */
const operator: Principal = Object.freeze({
  kind: "anonymous",
  tokenId: null,
  userId: null,
  sessionId: null,
  scopes: new Set(operatorScopes),
  guildIds: null,
});

/** What the operator's channels are counted under: all of them are one client. */
const operatorKey = "control";

export function createAppChannels({ mcp, auth, limits, draining }: AppChannelsDeps): AppChannels {
  const open = new Set<Open>();
  const isValid = async (principal: Principal): Promise<boolean> =>
    principal === operator || (await auth.stillValid(principal));

  async function admit(principal: Principal): Promise<void> {
    if (draining())
      throw new AppError("shutting_down", "The service is stopping; try again in a moment.", {
        retryAfterMs: 5000,
      });
    if (!(await isValid(principal))) throw revoked();
    await limits.token.take(principal.tokenId ?? operatorKey);
  }

  function inFlight(): number {
    let sum = 0;
    for (const { served } of open) sum += served?.inFlight ?? 0;
    return sum;
  }

  return {
    async serve(channel, credentials) {
      const { guildId, channelId } = credentials;
      const isOperator = credentials.kind === "operator";
      const principal = isOperator
        ? operator
        : await auth.authenticate({ authorization: credentials.authorization });
      const userId = isOperator ? credentials.userId : null;
      const caller = await mcp.resolve(principal, { userId, guildId, channelId });
      const end: Open = { principal, channel, served: null };
      open.add(end);
      end.served = serveChannel(mcp, channel, {
        caller,
        admit: () => admit(principal),
        onClosed: () => void open.delete(end),
      });
    },
    async closeInvalid() {
      for (const { principal, channel } of open)
        if (!(await isValid(principal))) channel.close(revoked().message);
    },
    async settled(boundMs) {
      const until = performance.now() + boundMs;
      while (inFlight() > 0 && performance.now() < until) await Bun.sleep(tickMs);
    },
  };
}

const revoked = (): AppError =>
  new AppError("unauthorized", "The token of this connection has been revoked or has expired.");
