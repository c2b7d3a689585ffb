import type { ServerWebSocket } from "bun";
import type { Principal } from "../auth/ports.ts";
import { AppError, toAppError } from "../errors.ts";
import { binaryFrame, parseFrame } from "../protocol/envelope.ts";
import { outcomeOf } from "../protocol/handler.ts";
import type { Envelope, ErrorReply, Reply } from "../protocol/messages.ts";
import type { Caller, ConnectionPort, Follow, Followed } from "../protocol/ports.ts";
import { errorReply, eventFrame } from "../protocol/wire.ts";
import type { Session } from "../sessions/ports.ts";
import { Following } from "./following.ts";
import type { HttpDeps } from "./ports.ts";
import { closeCodes, closeSocket, floodReason, refusedInARow, type SocketEnd, sendTo } from "./socket-end.ts";

/** Requests of one connection that are worked on at once. */
export const inFlightBound = 16;

export interface ConnectionOptions {
  readonly principal: Principal;
  /** The session of `/mcp/ws/{session_id}`, followed from the start. */
  readonly bound: Session | null;
  readonly since?: NonNullable<Follow["since"]>;
  readonly draining: () => boolean;
  readonly onClose: (connection: Connection) => void;
}

type Deps = Pick<HttpDeps, "protocol" | "events" | "hearings" | "rules" | "auth" | "limits" | "metrics">;

/** One socket that speaks the JSON protocol. */
export class Connection implements ConnectionPort, SocketEnd {
  readonly principal: Principal;
  readonly #deps: Deps;
  readonly #options: ConnectionOptions;
  readonly #caller: Caller;
  readonly #limitKey: string;
  readonly #following: Following;
  readonly #gone = new AbortController();
  #socket: ServerWebSocket<SocketEnd> | null = null;
  #inFlight = 0;
  /** Requests refused since it was opened, and how many of them came before the last one that was let in. */
  #refused = 0;
  #excused = 0;
  /** Requests of which it is not decided whether they are let in. */
  #undecided = 0;

  constructor(deps: Deps, options: ConnectionOptions, address: string) {
    this.#deps = deps;
    this.#options = options;
    this.principal = options.principal;
    this.#limitKey = options.principal.tokenId ?? `address:${address}`;
    const { principal } = options;
    this.#following = new Following({
      ...{ ...deps, principal, origin: this },
      send: (frame) => this.#send(frame),
      onGone: (sessionId) => this.#lost(sessionId),
    });
    this.#caller = {
      principal: options.principal,
      connection: this,
      boundSessionId: options.bound?.id ?? null,
      signal: this.#gone.signal,
    };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  opened(socket: ServerWebSocket<SocketEnd>): void {
    this.#socket = socket;
    const { bound, since } = this.#options;
    if (bound === null) return;
    try {
      this.#followFromTheStart(bound, since === undefined ? {} : { since });
    } catch (error) {
      this.close(closeCodes.tryLater, toAppError(error).message);
    }
  }

  /** A connection that is good for one session alone ends with it. */
  #lost(sessionId: string): void {
    if (sessionId !== this.#options.bound?.id && sessionId !== this.principal.sessionId) return;
    this.close(closeCodes.policy, "the session has been deleted");
  }

  #followFromTheStart(bound: Session, follow: Follow): void {
    const { missedTooMuch, epoch, seq } = this.follow(bound, follow);
    if (missedTooMuch) this.#send(eventFrame(bound.id, epoch, seq, '{"type":"missed_too_much"}'));
    this.#following.release();
  }

  received(frame: string | Buffer): void {
    // What a closed connection has still sent.
    if (this.#socket === null) return;
    const parsed = typeof frame === "string" ? parseFrame(frame) : binaryFrame();
    if (!parsed.ok) void this.#reject(parsed.reply);
    else if (this.#inFlight >= inFlightBound) this.#refuse(parsed.envelope, tooManyAtOnce());
    else if (this.#options.draining()) this.#refuse(parsed.envelope, shuttingDown());
    else void this.#run(parsed.envelope);
  }

  /** What it asked of tools is given up; its turns go on, and their answers are stored. */
  closed(): void {
    this.#socket = null;
    this.#following.close();
    this.#gone.abort(new AppError("cancelled", "The connection was closed."));
    this.#options.onClose(this);
  }

  close(code: number, reason: string): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    closeSocket(socket, code, reason);
  }

  follow(session: Session, how?: Follow): Followed {
    return this.#following.follow(session, how);
  }

  async #run(envelope: Envelope): Promise<void> {
    const began = performance.now();
    this.#inFlight++;
    let reply: Reply;
    try {
      await this.#admit(this.#refused);
      reply = await this.#deps.protocol.handle(envelope, this.#caller);
    } catch (error) {
      reply = errorReply(toAppError(error), envelope.id, envelope.metadata);
    }
    this.#inFlight--;
    this.#reply(reply, envelope);
    this.#following.release();
    this.#deps.metrics.request(envelope.type, "/mcp/ws", outcomeOf(reply), performance.now() - began);
    if (reply.type === "error" && reply.data.code === "unauthorized")
      this.close(closeCodes.policy, "the token has been revoked or has expired");
    if (reply.type === "error" && reply.data.code === "rate_limited") this.#countRefusal();
  }

  #countRefusal(): void {
    this.#refused++;
    this.#closeFlood();
  }

  /**
   * Who is refused and goes on all the same is no longer answered: each answer takes time from the others. In a row is
   * meant as the requests came, which may be together: so those that may still be let in are waited for.
   */
  #closeFlood(): void {
    if (this.#undecided === 0 && this.#refused - this.#excused >= refusedInARow)
      this.close(closeCodes.policy, floodReason);
  }

  /** Makes sure that its token is still good, and has requests left. Throws AppError. */
  async #admit(refusedBefore: number): Promise<void> {
    this.#undecided++;
    try {
      if (!(await this.#deps.auth.stillValid(this.principal))) throw revoked();
      await this.#deps.limits.token.take(this.#limitKey);
      this.#excused = Math.max(this.#excused, refusedBefore);
    } finally {
      this.#undecided--;
      this.#closeFlood();
    }
  }

  /** A frame that is no request counts against the limit all the same. */
  async #reject(reply: ErrorReply): Promise<void> {
    let answer = reply;
    try {
      await this.#deps.limits.token.take(this.#limitKey);
    } catch (error) {
      answer = errorReply(toAppError(error), reply.id);
    }
    this.#send(JSON.stringify(answer));
    if (answer !== reply) this.#countRefusal();
    this.#deps.metrics.request("invalid", "/mcp/ws", outcomeOf(answer), 0);
  }

  #refuse(envelope: Envelope, error: AppError): void {
    this.#send(JSON.stringify(errorReply(error, envelope.id, envelope.metadata)));
    this.#countRefusal();
    this.#deps.metrics.request(envelope.type, "/mcp/ws", error.code, 0);
  }

  #reply(reply: Reply, envelope: Envelope): void {
    let text: string;
    try {
      text = JSON.stringify(reply);
    } catch (error) {
      // A tool's value that is no JSON is our fault; the asker must not wait for ever because of it.
      text = JSON.stringify(errorReply(toAppError(error), envelope.id, envelope.metadata));
    }
    this.#send(text);
  }

  #send(text: string): void {
    if (this.#socket !== null && !sendTo(this.#socket, text))
      this.close(closeCodes.tooSlow, "too slow: read faster, then connect again with last_seq");
  }
}

function tooManyAtOnce(): AppError {
  return new AppError(
    "rate_limited",
    `At most ${inFlightBound} requests are worked on at once for one connection; wait for a reply first.`,
    { retryAfterMs: 1000 },
  );
}

function shuttingDown(): AppError {
  return new AppError("shutting_down", "The service is stopping; connect again in a moment.", {
    retryAfterMs: 5000,
  });
}

function revoked(): AppError {
  return new AppError(
    "unauthorized",
    "The token of this connection has been revoked or has expired; connect again with another one.",
  );
}
