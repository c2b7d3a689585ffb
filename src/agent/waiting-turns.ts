import type { SlotOwner } from "../limits/fair-slots.ts";

/** Whose turns are too many. */
export interface Crowded {
  readonly of: "person" | "server" | "service";
  readonly waiting: number;
}

export interface WaitingBounds {
  /** Turns of one person that may wait, in all conversations. */
  readonly queueOfUser: number;
  /** Turns of one server that may wait. */
  readonly queueOfGuild: number;
  /** Turns of everybody that may wait. */
  readonly queueOfAll: number;
}

/** Turns that this process knows to be waiting, counted for each person and each server. */
export class WaitingTurns {
  readonly #bounds: WaitingBounds;
  readonly #owners = new Map<string, SlotOwner>();
  readonly #counts = new Map<string, number>();
  #reserved = 0;

  constructor(bounds: WaitingBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#owners.size;
  }

  /** Takes a place before the turn has an id, so that a burst is counted as it comes; null when there was one. */
  reserve(owner: SlotOwner): Crowded | null {
    const { queueOfUser, queueOfGuild, queueOfAll } = this.#bounds;
    const ofPerson = this.#counts.get(personOf(owner)) ?? 0;
    if (ofPerson >= queueOfUser) return { of: "person", waiting: ofPerson };
    const server = serverOf(owner);
    const ofServer = server === null ? 0 : (this.#counts.get(server) ?? 0);
    if (server !== null && ofServer >= queueOfGuild) return { of: "server", waiting: ofServer };
    if (this.#reserved >= queueOfAll) return { of: "service", waiting: this.#reserved };
    this.#count(owner, 1);
    return null;
  }

  /** Gives back what was reserved and is not needed. */
  release(owner: SlotOwner): void {
    this.#count(owner, -1);
  }

  /** The reserved place is this turn's. */
  settle(turnId: string, owner: SlotOwner): void {
    this.#owners.set(turnId, owner);
  }

  /** A turn that was accepted before: it has its place, whatever the bounds. */
  add(turnId: string, owner: SlotOwner): void {
    if (this.#owners.has(turnId)) return;
    this.#owners.set(turnId, owner);
    this.#count(owner, 1);
  }

  /** It runs, or is over. */
  delete(turnId: string): void {
    const owner = this.#owners.get(turnId);
    if (owner === undefined) return;
    this.#owners.delete(turnId);
    this.#count(owner, -1);
  }

  #count(owner: SlotOwner, by: 1 | -1): void {
    this.#reserved += by;
    for (const key of [personOf(owner), serverOf(owner)]) {
      if (key === null) continue;
      const count = (this.#counts.get(key) ?? 0) + by;
      if (count === 0) this.#counts.delete(key);
      else this.#counts.set(key, count);
    }
  }
}

const personOf = ({ userId }: SlotOwner): string => `user:${userId}`;
const serverOf = ({ guildId }: SlotOwner): string | null => (guildId === null ? null : `guild:${guildId}`);
