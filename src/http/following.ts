import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import type { Hearing } from "../protocol/hearing.ts";
import type { Follow, Followed } from "../protocol/ports.ts";
import { eventFrame } from "../protocol/wire.ts";
import type { StreamEvent, Subscription } from "../sessions/events.ts";
import type { Session } from "../sessions/ports.ts";
import type { HttpDeps } from "./ports.ts";

/** Sessions that one connection can follow. */
const followedSessions = 1024;

export interface FollowingDeps extends Pick<HttpDeps, "events" | "hearings" | "rules"> {
  readonly principal: Principal;
  /** Whose doings need not be told to it. */
  readonly origin: object;
  readonly send: (frame: string) => void;
  /** A session that it followed is no more. */
  readonly onGone: (sessionId: string) => void;
}

interface OneSession {
  readonly subscription: Subscription;
  readonly hearing: Hearing;
  /** Events that wait until the reply to `initialize` is out. */
  held: StreamEvent[] | null;
}

/** The sessions whose events one connection is sent. */
export class Following {
  readonly #deps: FollowingDeps;
  readonly #sessions = new Map<string, OneSession>();
  #isHolding = false;

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
  }

  /** As `ConnectionPort` says. What is sent again waits for `release`. */
  follow(session: Session, { since, isThere }: Follow = {}): Followed {
    const { events } = this.#deps;
    const known = this.#sessions.get(session.id);
    if (isThere) known?.hearing.isThere();
    if (known !== undefined && since === undefined)
      return { epoch: events.epoch, seq: events.position(session.conversationId), missedTooMuch: false };
    this.#end(session.id);
    if (this.#sessions.size >= followedSessions)
      throw new AppError(
        "too_many_connections",
        `One connection follows at most ${followedSessions} sessions; open another one.`,
      );
    return this.#begin(session, { ...(since && { since }), ...(isThere && { isThere }) });
  }

  /** What has waited is sent. */
  release(): void {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    for (const [sessionId, following] of this.#sessions) {
      const { held } = following;
      following.held = null;
      for (const event of held ?? []) this.#heard(sessionId, event);
    }
  }

  close(): void {
    for (const sessionId of [...this.#sessions.keys()]) this.#end(sessionId);
  }

  #begin(session: Session, { since, isThere }: Follow): Followed {
    const { events, hearings, rules, principal, origin, send, onGone } = this.#deps;
    const actor = rules.actorFor(principal, session);
    const listener = (event: StreamEvent) => this.#heard(session.id, event);
    const ended = () => {
      this.#end(session.id);
      onGone(session.id);
    };
    const subscriber = { sessionId: session.id, origin, listener, ended };
    const subscription = events.subscribe(session.conversationId, subscriber, since);
    const { epoch, seq: newest, missedTooMuch } = subscription;
    const after = missedTooMuch ? newest : (since?.afterSeq ?? newest);
    const begins = { after, newest };
    const hearing = hearings.open(session, actor, begins, {
      tell: (seq, json) => send(eventFrame(session.id, epoch, seq, json)),
      ended: () => this.#end(session.id),
    });
    if (isThere) hearing.isThere();
    const held = since === undefined ? null : [...subscription.replay];
    this.#sessions.set(session.id, { subscription, hearing, held });
    if (held !== null) this.#isHolding = true;
    return subscription;
  }

  #end(sessionId: string): void {
    const following = this.#sessions.get(sessionId);
    this.#sessions.delete(sessionId);
    following?.subscription.close();
    following?.hearing.close();
  }

  #heard(sessionId: string, event: StreamEvent): void {
    const following = this.#sessions.get(sessionId);
    if (following?.held) following.held.push(event);
    else following?.hearing.hear(event);
  }
}
