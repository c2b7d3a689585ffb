import type { GatewaySession } from "./gateway-session.ts";

/** Disturbs the order in which dispatches reach clients; sequence numbers are given before it, so they tell the truth. */
export class DispatchFaults {
  #duplicates = 0;
  #losses = 0;
  #isHolding = false;
  #swapping: { readonly session: GatewaySession; readonly json: string } | null = null;
  #swapsLeft = 0;
  #held: { readonly session: GatewaySession; readonly json: string }[] = [];

  pass(session: GatewaySession, json: string): void {
    if (this.#losses > 0) {
      this.#losses -= 1;
      return;
    }
    if (this.#isHolding) {
      this.#held.push({ session, json });
      return;
    }
    if (this.#swapsLeft > 0 && this.#swapping === null) {
      this.#swapsLeft -= 1;
      this.#swapping = { session, json };
      return;
    }
    session.connection?.send(json);
    if (this.#duplicates > 0) {
      this.#duplicates -= 1;
      session.connection?.send(json);
    }
    if (this.#swapping !== null) {
      const late = this.#swapping;
      this.#swapping = null;
      late.session.connection?.send(late.json);
    }
  }

  /** The next dispatches arrive twice, with the same sequence number. */
  duplicateNext(count: number): void {
    this.#duplicates += count;
  }

  /** The next dispatches get lost on the way; a resume from before them brings them. */
  loseNext(count: number): void {
    this.#losses += count;
  }

  /** The next dispatch arrives after the one that follows it. */
  reorderNext(times = 1): void {
    this.#swapsLeft += times;
  }

  /** Nothing arrives until `release`. */
  hold(): void {
    this.#isHolding = true;
  }

  /** What is on its way to a session is lost with its connection; a resume brings it. */
  forget(session: GatewaySession): void {
    this.#held = this.#held.filter((one) => one.session !== session);
    if (this.#swapping?.session === session) this.#swapping = null;
  }

  release(): void {
    this.#isHolding = false;
    const held = this.#held;
    this.#held = [];
    for (const { session, json } of held) this.pass(session, json);
  }
}
