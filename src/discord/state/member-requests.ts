import { getLogger } from "@logtape/logtape";
import {
  type APIGuildMember,
  type GatewayGuildMembersChunkDispatchData,
  GatewayOpcodes,
  type GatewayRateLimitedDispatchData,
} from "discord-api-types/v10";
import { isWholeMember } from "../promised-shapes.ts";

const log = getLogger(["discord-mcp", "discord"]);

/** Of one request: https://docs.discord.com/developers/events/gateway-events#request-guild-members */
export const mostPeople = 100;
/** A shard may send 120 frames a minute, its heartbeats and all else included; these are for members. */
const framesAtOnce = 20;
const frameEveryMs = 800;
/** The gateway answers in well under a second, or not at all. */
const answerMsByItself = 5000;
/** Then it is left alone for so long, which is also the longest that it can ask for. */
const silentMs = 60_000;

/** One person in one server, asked about once for all who want to know. */
export interface Asked {
  readonly guildId: string;
  readonly userId: string;
  readonly since: number;
  readonly answer: PromiseWithResolvers<APIGuildMember>;
  askers: number;
}

export interface MemberRequestsDeps {
  /** Asks the gateway for members, who come in chunks with that nonce. */
  readonly request: (guildId: string, userIds: readonly string[], nonce: string) => void;
  /** Whether a guild's shard is connected and answers. */
  readonly isTrusted: (guildId: string) => boolean;
  readonly shardOf: (guildId: string) => number;
  readonly now: () => number;
  readonly answerMs?: number;
}

interface Request {
  readonly guildId: string;
  readonly people: Map<string, Asked>;
  readonly timer: ReturnType<typeof setTimeout>;
}

interface Frames {
  left: number;
  at: number;
}

/** Members asked for over the gateway, which needs no privileged intent for people that are named. */
export class MemberRequests implements Disposable {
  readonly #deps: MemberRequestsDeps;
  readonly #onUnanswered: (people: readonly Asked[]) => void;
  readonly #open = new Map<string, Request>();
  readonly #frames = new Map<number, Frames>();
  /** A resumed session may bring what the process before this one has asked for: that is no answer to us. */
  readonly #name = Buffer.from(crypto.getRandomValues(new Uint8Array(9))).toString("base64url");
  #count = 0;
  #silentUntil = 0;
  /** Servers for which the gateway takes no request until then. */
  readonly #refusedUntil = new Map<string, number>();

  constructor(deps: MemberRequestsDeps, onUnanswered: (people: readonly Asked[]) => void) {
    this.#deps = deps;
    this.#onUnanswered = onUnanswered;
  }

  canAsk(guildId: string): boolean {
    const { isTrusted, now } = this.#deps;
    if (now() < Math.max(this.#silentUntil, this.#refusedUntil.get(guildId) ?? 0)) return false;
    this.#refusedUntil.delete(guildId);
    return isTrusted(guildId) && this.#framesFor(guildId).left >= 1;
  }

  /** At most `mostPeople`, once `canAsk` says so. Who is not told of comes back by `onUnanswered`. */
  ask(guildId: string, asked: readonly Asked[]): void {
    if (asked.length === 0) return;
    this.#framesFor(guildId).left--;
    const people = new Map(asked.map((one) => [one.userId, one]));
    const nonce = `${this.#name}:${++this.#count}`;
    const timer = setTimeout(
      () => this.#gaveNoAnswer(nonce),
      this.#deps.answerMs ?? answerMsByItself,
    ).unref();
    this.#open.set(nonce, { guildId, people, timer });
    this.#deps.request(guildId, [...people.keys()], nonce);
  }

  arrived({
    nonce,
    guild_id,
    members,
    chunk_index,
    chunk_count,
  }: GatewayGuildMembersChunkDispatchData): void {
    const request = this.#open.get(nonce ?? "");
    if (nonce === undefined || request?.guildId !== guild_id) return;
    for (const member of Array.isArray(members) ? members : []) this.#tell(request, member);
    // Whom it has not told of by its last chunk REST is asked about, which says why.
    if (chunk_index + 1 >= chunk_count) this.#close(nonce);
  }

  /** https://docs.discord.com/developers/events/gateway-events#rate-limited */
  refused({ opcode, retry_after, meta }: GatewayRateLimitedDispatchData): void {
    if (opcode !== GatewayOpcodes.RequestGuildMembers) return;
    log.warn("the gateway gives no members of a server for a while; they are asked for by REST", {
      guild_id: meta.guild_id,
      seconds: retry_after,
    });
    const ms = Math.min(Math.max(0, retry_after * 1000), silentMs);
    this.#refusedUntil.set(meta.guild_id, this.#deps.now() + ms);
    for (const [nonce, { guildId }] of [...this.#open])
      if (guildId === meta.guild_id && (meta.nonce ?? nonce) === nonce) this.#close(nonce);
  }

  [Symbol.dispose](): void {
    for (const nonce of [...this.#open.keys()]) this.#close(nonce);
  }

  /** A member of whom something is missing would be taken for one who is not timed out, or has agreed to the rules. */
  #tell({ people }: Request, member: APIGuildMember): void {
    if (!isWholeMember(member)) return;
    people.get(member.user.id)?.answer.resolve(member);
    people.delete(member.user.id);
  }

  #gaveNoAnswer(nonce: string): void {
    log.warn("the gateway gave no members; they are asked for by REST");
    this.#silentUntil = this.#deps.now() + silentMs;
    this.#close(nonce);
  }

  #close(nonce: string): void {
    const request = this.#open.get(nonce);
    if (request === undefined) return;
    this.#open.delete(nonce);
    clearTimeout(request.timer);
    if (request.people.size > 0) this.#onUnanswered([...request.people.values()]);
  }

  #framesFor(guildId: string): Frames {
    const { shardOf, now } = this.#deps;
    const shard = shardOf(guildId);
    const frames = this.#frames.get(shard) ?? { left: framesAtOnce, at: now() };
    this.#frames.set(shard, frames);
    const earned = Math.floor((now() - frames.at) / frameEveryMs);
    if (earned > 0) {
      frames.left = Math.min(framesAtOnce, frames.left + earned);
      frames.at += earned * frameEveryMs;
    }
    return frames;
  }
}
