import type {
  APIGuildMember,
  GatewayGuildMembersChunkDispatchData,
  GatewayRateLimitedDispatchData,
} from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import type { DiscordReader } from "../../tools/discord-port.ts";
import { abortable } from "../../waiting.ts";
import { type Asked, MemberRequests, type MemberRequestsDeps, mostPeople } from "./member-requests.ts";

/** By REST at once. Discord answers those about one server one after the other anyway. */
export const restsAtOnce = 4;
/** People who wait to be asked about, and how long they do, in milliseconds as everywhere here. */
export const waitingPeopleBound = 10_000;
const patienceMs = 20_000;
/** What is asked for at about the same time goes together. */
const gatherMs = 10;
/** Between looks at what waits. */
const lookMs = 250;

export interface MemberLookupsDeps extends MemberRequestsDeps {
  readonly reader: Pick<DiscordReader, "member">;
}

/**
 * Who somebody is in a server, now: nothing is kept, and a question is shared only until it is put, so that every answer
 * is younger than its asker's question. A few at a time are put to REST. Those that wait meanwhile are put to the
 * gateway, a hundred at a time, since REST takes half a minute for a thousand; what it does not answer is asked by REST.
 */
export class MemberLookups implements Disposable {
  readonly #deps: MemberLookupsDeps;
  readonly #requests: MemberRequests;
  /** Not put yet, by server and person; the server whose turn it is comes first. */
  readonly #waiting = new Map<string, Map<string, Asked>>();
  /** Put to the gateway, which did not say. */
  readonly #unanswered: Asked[] = [];
  readonly #stop = new AbortController();
  #waitingPeople = 0;
  #rests = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isSoon = false;

  constructor(deps: MemberLookupsDeps) {
    this.#deps = deps;
    this.#requests = new MemberRequests(deps, (unanswered) => {
      this.#unanswered.push(...unanswered);
      this.#askByRest();
    });
  }

  /** Throws AppError as `DiscordReader.member` does, `rate_limited` when too many wait, and the signal's reason. */
  async member(guildId: string, userId: string, signal: AbortSignal): Promise<APIGuildMember> {
    signal.throwIfAborted();
    const asked = this.#waiting.get(guildId)?.get(userId) ?? this.#begin(guildId, userId);
    asked.askers++;
    this.#askByRest();
    try {
      return await abortable(asked.answer.promise, signal);
    } finally {
      asked.askers--;
    }
  }

  arrived(chunk: GatewayGuildMembersChunkDispatchData): void {
    this.#requests.arrived(chunk);
  }

  refused(refusal: GatewayRateLimitedDispatchData): void {
    this.#requests.refused(refusal);
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#stop.abort(tooMany());
    this.#requests[Symbol.dispose]();
    for (const ofGuild of this.#waiting.values())
      for (const { answer } of ofGuild.values()) answer.reject(tooMany());
    this.#waiting.clear();
  }

  #begin(guildId: string, userId: string): Asked {
    if (this.#stop.signal.aborted || this.#waitingPeople >= waitingPeopleBound) throw tooMany();
    const answer = Promise.withResolvers<APIGuildMember>();
    // Whoever asked may have given up.
    answer.promise.catch(() => {});
    const asked = { guildId, userId, since: this.#deps.now(), answer, askers: 0 };
    const ofGuild = this.#waiting.get(guildId) ?? new Map<string, Asked>();
    this.#waiting.set(guildId, ofGuild.set(userId, asked));
    this.#waitingPeople++;
    return asked;
  }

  #askByRest(): void {
    while (this.#rests < restsAtOnce) {
      const asked = this.#unanswered.shift() ?? this.#takeNext();
      if (asked === null) break;
      if (this.#isOld(asked)) asked.answer.reject(tooMany());
      else if (asked.askers > 0) void this.#rest(asked);
    }
    if (this.#waitingPeople > 0) this.#lookIn(gatherMs);
  }

  async #rest({ guildId, userId, answer }: Asked): Promise<void> {
    this.#rests++;
    try {
      answer.resolve(await this.#deps.reader.member(guildId, userId, this.#stop.signal));
    } catch (error) {
      answer.reject(error);
    }
    this.#rests--;
    this.#askByRest();
  }

  #lookIn(delayMs: number): void {
    const isSoon = delayMs === gatherMs;
    if (this.#timer !== null && (this.#isSoon || !isSoon)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#isSoon = isSoon;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#forgetOld();
      this.#askGateway();
      if (this.#waitingPeople > 0) this.#lookIn(lookMs);
    }, delayMs).unref();
  }

  #forgetOld(): void {
    for (const ofGuild of this.#waiting.values())
      for (const asked of ofGuild.values()) {
        // The others of this server came later.
        if (!this.#isOld(asked)) break;
        this.#take(asked);
        asked.answer.reject(tooMany());
      }
  }

  #isOld({ since }: Asked): boolean {
    return this.#deps.now() - since > patienceMs;
  }

  #askGateway(): void {
    for (const [guildId, ofGuild] of [...this.#waiting])
      while (ofGuild.size > 0 && this.#requests.canAsk(guildId)) {
        const people = [...ofGuild.values()].slice(0, mostPeople);
        for (const asked of people) this.#take(asked);
        this.#requests.ask(
          guildId,
          people.filter(({ askers }) => askers > 0),
        );
      }
  }

  /** Of the server whose turn it is, which is then the last. */
  #takeNext(): Asked | null {
    for (const [guildId, ofGuild] of this.#waiting)
      for (const asked of ofGuild.values()) {
        this.#take(asked);
        if (ofGuild.size > 0) {
          this.#waiting.delete(guildId);
          this.#waiting.set(guildId, ofGuild);
        }
        return asked;
      }
    return null;
  }

  #take({ guildId, userId }: Asked): void {
    const ofGuild = this.#waiting.get(guildId);
    if (ofGuild?.delete(userId) !== true) return;
    this.#waitingPeople--;
    if (ofGuild.size === 0) this.#waiting.delete(guildId);
  }
}

function tooMany(): AppError {
  return new AppError(
    "rate_limited",
    "Discord is asked about too many people at once; try again in a few seconds.",
    { retryAfterMs: 5000 },
  );
}
