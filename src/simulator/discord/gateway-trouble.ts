import { GatewayOpcodes } from "discord-api-types/v10";
import type { Gateway } from "./gateway.ts";
import { invalidate } from "./gateway-receive.ts";

/** What can go wrong with a gateway connection, at a caller's will. */
export class GatewayTrouble {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  /** Closes every connection with a code; 4000, after which clients resume, when none is given. */
  disconnectAll(code = 4000, reason = "Simulated"): void {
    for (const connection of [...this.#gateway.connections]) connection.close(code, reason);
  }

  /** Cuts every connection without a closing frame. */
  dropWithoutClose(): void {
    for (const connection of [...this.#gateway.connections]) {
      connection.terminate();
      this.#gateway.drop(connection, 1006);
    }
  }

  /** Answers the next upgrades with 503. Returns what ends it before. */
  refuseConnections(times = Number.POSITIVE_INFINITY): () => void {
    this.#gateway.refusals = times;
    return () => {
      this.#gateway.refusals = 0;
    };
  }

  /** Answers the next requests for members with RATE_LIMITED, and 30 seconds to wait. */
  refuseMembers(times: number): void {
    this.#gateway.memberRefusals = times;
  }

  /** Opcode 9 to every connection that has a session. */
  invalidSession(resumable: boolean): void {
    for (const connection of [...this.#gateway.connections]) {
      if (connection.session !== null) invalidate(this.#gateway, connection, resumable);
    }
  }

  /** Forgets every session, so that the next resume is answered with opcode 9. Connections stay. */
  forgetSessions(): void {
    this.#gateway.sessions.clear();
  }

  /** Opcode 7: clients reconnect and resume. */
  requestReconnect(): void {
    for (const connection of this.#gateway.connections)
      this.#gateway.send(connection, GatewayOpcodes.Reconnect, null);
  }

  /** Opcode 1: clients answer with a heartbeat at once. */
  requestHeartbeat(): void {
    for (const connection of this.#gateway.connections)
      this.#gateway.send(connection, GatewayOpcodes.Heartbeat, null);
  }

  /** Heartbeats are answered no more, as on a dead line. Returns what ends it. */
  stopAcking(): () => void {
    this.#gateway.acknowledges = false;
    return () => {
      this.#gateway.acknowledges = true;
    };
  }

  /** Sends every session a dispatch of any make, with its next sequence number. The world does not change. */
  deliver(t: string, d: unknown): void {
    for (const session of this.#gateway.sessions.values()) session.dispatch({ t, d });
  }

  duplicateNext(count: number): void {
    this.#gateway.faults.duplicateNext(count);
  }

  loseNext(count: number): void {
    this.#gateway.faults.loseNext(count);
  }

  /** The next dispatch arrives after the one that follows it. */
  reorderNext(times = 1): void {
    this.#gateway.faults.reorderNext(times);
  }

  /** No dispatch arrives until the returned function is called; then all do, in order. */
  holdDispatches(): () => void {
    this.#gateway.faults.hold();
    return () => this.#gateway.faults.release();
  }

  clear(): void {
    this.#gateway.refusals = 0;
    this.#gateway.acknowledges = true;
    this.#gateway.faults.release();
  }
}
