import { setTimeout } from "node:timers/promises";
import type { Actor } from "../actor.ts";
import { AppError, type ErrorCode, toAppError } from "../errors.ts";
import type { Telling } from "../sessions/context.ts";
import type { StreamEvent } from "../sessions/events.ts";
import type { Session } from "../sessions/ports.ts";
import { questionNow } from "./approvals.ts";
import type { Begins, Ear, Hearing, HearingDeps } from "./hearing.ts";
import { isQuestion, withheldEvent } from "./wire.ts";

/**
 * For how long it holds that somebody is where their session is and may read what an event rests on, where Discord
 * tells of no change: it does not tell of all, and not while it is away. Milliseconds.
 */
export const heldMs = 10_000;
/** Events that wait until that is established. */
const waitingEventsBound = 1024;
const waitingCharsBound = 512 * 1024;
/** Between tries while Discord does not say; milliseconds. */
const patienceMs: readonly number[] = [500, 1500, 4000];
/** Tries that a change overtakes. */
const overtakenBound = 5;

interface ListeningDeps extends HearingDeps {
  readonly session: Session;
  readonly actor: Actor;
  readonly ear: Ear;
  readonly begins: Begins;
  readonly left: () => void;
}

/** Of each source that was asked about, whether it may be told of. */
type Verdicts = ReadonlyMap<string, boolean>;

const nothing: Verdicts = new Map();

/** One hearing: what waits, and what is known of who may hear it. */
export class Listening implements Hearing {
  readonly #deps: ListeningDeps;
  /** Of what is being asked; there are many hearings, and few of them ask. */
  #gone: AbortController | null = null;
  #isClosed = false;
  readonly #waiting: StreamEvent[] = [];
  #waitingChars = 0;
  #isAsking = false;
  #seq: number;
  /** Raised by each change, so that what was asked before it is known to be older. */
  #version = 0;
  /** When it was last asked, or null when that does not count any more. */
  #heldSince: number | null = null;
  #live: Verdicts = nothing;
  #again: Verdicts = nothing;

  constructor(deps: ListeningDeps) {
    this.#deps = deps;
    this.#seq = deps.begins.after;
  }

  isThere(): void {
    // What rests on other places is asked about all the same.
    if (this.#holds) return;
    this.#held(this.#deps.now(), nothing, nothing);
  }

  changed(): void {
    this.#version++;
    this.#heldSince = null;
  }

  hear(event: StreamEvent): void {
    if (this.#isClosed) return;
    if (this.#waiting.length === 0 && this.#isKnown(event) && !this.#isOldQuestion(event)) {
      this.#tell(event, event.json);
      return;
    }
    this.#waiting.push(event);
    this.#waitingChars += event.json.length;
    if (this.#waiting.length > waitingEventsBound || this.#waitingChars > waitingCharsBound)
      this.#end(tookTooLong());
    else if (!this.#isAsking) void this.#tellWaiting();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#gone?.abort(new AppError("cancelled", "Nobody listens any more."));
    this.#waiting.length = 0;
    this.#deps.left();
  }

  get #holds(): boolean {
    return this.#heldSince !== null && this.#deps.now() - this.#heldSince < heldMs;
  }

  #isAgain({ seq }: StreamEvent): boolean {
    return seq <= this.#deps.begins.newest;
  }

  #verdictsOn(event: StreamEvent): Verdicts {
    return this.#isAgain(event) ? this.#again : this.#live;
  }

  #isKnown(event: StreamEvent): boolean {
    if (!this.#holds) return false;
    const verdicts = this.#verdictsOn(event);
    return event.sources.every((source) => verdicts.has(source));
  }

  #held(since: number, live: Verdicts, again: Verdicts): void {
    this.#heldSince = since;
    this.#live = live;
    this.#again = again;
  }

  #tell(event: StreamEvent, json: string): void {
    this.#seq = event.seq;
    const verdicts = this.#verdictsOn(event);
    const isWithheld = event.sources.some((source) => verdicts.get(source) !== true);
    this.#deps.ear.tell(event.seq, isWithheld ? withheldEvent(json) : json, event);
  }

  /** What it asks about is named in it, and was looked at when it was asked. */
  #isOldQuestion(event: StreamEvent): boolean {
    return this.#isAgain(event) && isQuestion(event.json);
  }

  async #asNow(event: StreamEvent): Promise<string> {
    if (!this.#isOldQuestion(event)) return event.json;
    const fields = JSON.parse(event.json);
    const approval = await this.#deps.turns.approval(String(fields.approval_id));
    if (approval === null) return withheldEvent(event.json);
    const question = await questionNow(this.#deps, approval, this.#deps.session, this.#signal);
    return JSON.stringify({ ...fields, question });
  }

  get #signal(): AbortSignal {
    this.#gone ??= new AbortController();
    return this.#gone.signal;
  }

  async #tellWaiting(): Promise<void> {
    this.#isAsking = true;
    try {
      for (;;) {
        const [next] = this.#waiting;
        if (next === undefined) return;
        if (!this.#isKnown(next)) {
          await this.#ask();
          continue;
        }
        const json = await this.#asNow(next);
        if (this.#isClosed) return;
        if (!this.#isKnown(next)) continue;
        this.#waiting.shift();
        this.#waitingChars -= next.json.length;
        this.#tell(next, json);
      }
    } catch (error) {
      if (!this.#isClosed) this.#end(toAppError(error));
    } finally {
      this.#isAsking = false;
      this.#gone = null;
    }
  }

  /** Throws AppError when the person is not there, or that cannot be established, and the signal's reason. */
  async #ask(): Promise<void> {
    const { now, patience = patienceMs } = this.#deps;
    const signal = this.#signal;
    let tries = 0;
    for (let overtaken = 0; overtaken < overtakenBound; ) {
      const version = this.#version;
      const since = now();
      const refusal = await this.#refusal();
      signal.throwIfAborted();
      if (refusal !== null) {
        const delayMs = isPassing(refusal) ? patience[tries++] : undefined;
        if (delayMs === undefined) throw refusal;
        await setTimeout(delayMs, undefined, { signal, ref: false });
        continue;
      }
      const live = await this.#decide("live");
      const again = await this.#decide("again");
      signal.throwIfAborted();
      if (version === this.#version) {
        this.#held(since, live, again);
        return;
      }
      overtaken++;
    }
    throw tookTooLong();
  }

  async #refusal(): Promise<AppError | null> {
    const { places, actor } = this.#deps;
    try {
      await places.assertReachable(actor, this.#signal);
      return null;
    } catch (error) {
      return toAppError(error);
    }
  }

  async #decide(telling: Telling): Promise<Verdicts> {
    const { sessions, session } = this.#deps;
    const events = this.#waiting.filter((event) => this.#isAgain(event) === (telling === "again"));
    const sources = new Set(events.flatMap((event) => event.sources));
    if (sources.size === 0) return nothing;
    const closed = new Set(await sessions.unreadable(session, [...sources], telling));
    return new Map([...sources].map((source) => [source, !closed.has(source)]));
  }

  #end({ code, message }: AppError): void {
    const { ear } = this.#deps;
    this.close();
    ear.tell(this.#seq, JSON.stringify({ type: "following_ended", code, message }), null);
    ear.ended();
  }
}

const passing: readonly ErrorCode[] = ["discord_unavailable", "rate_limited", "timeout"];
const isPassing = ({ code }: AppError): boolean => passing.includes(code);

function tookTooLong(): AppError {
  return new AppError(
    "discord_unavailable",
    "It takes too long to find out what may be told here; initialize again with last_seq in a moment.",
  );
}
