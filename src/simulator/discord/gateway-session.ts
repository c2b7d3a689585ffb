import { GatewayDispatchEvents, GatewayOpcodes } from "discord-api-types/v10";
import type { GatewayConnection } from "./gateway-connection.ts";
import type { DispatchFaults } from "./gateway-faults.ts";
import type { Dispatch } from "./world-events.ts";

/** Dispatches kept for a resume; who missed more has to identify anew. */
const replayBound = 2000;

/** What outlives a socket: the shard, its intents, its sequence and what it may have missed. */
export class GatewaySession {
  readonly id: string;
  readonly shardId: number;
  readonly shardCount: number;
  readonly intents: number;
  readonly largeThreshold: number;
  readonly #faults: DispatchFaults;
  #sequence = 0;
  #replay: { readonly sequence: number; readonly json: string }[] = [];
  connection: GatewayConnection | null = null;
  /** Milliseconds since 1970, while it has no connection. */
  disconnectedAt: number | null = null;

  constructor(
    faults: DispatchFaults,
    identify: { id: string; shardId: number; shardCount: number; intents: number; largeThreshold: number },
  ) {
    this.#faults = faults;
    this.id = identify.id;
    this.shardId = identify.shardId;
    this.shardCount = identify.shardCount;
    this.intents = identify.intents;
    this.largeThreshold = identify.largeThreshold;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** Guilds go to shards by the time in their id; direct messages go to shard 0. */
  hears(guildId: string | null): boolean {
    if (guildId === null) return this.shardId === 0;
    return Number((BigInt(guildId) >> 22n) % BigInt(this.shardCount)) === this.shardId;
  }

  dispatch({ t, d }: Dispatch | { readonly t: string; readonly d: unknown }): void {
    this.#sequence += 1;
    const json = JSON.stringify({ op: GatewayOpcodes.Dispatch, t, s: this.#sequence, d });
    this.#replay.push({ sequence: this.#sequence, json });
    if (this.#replay.length > replayBound * 2) this.#replay = this.#replay.slice(-replayBound);
    // What begins a session is before everything else of it, whatever goes wrong.
    if (t === GatewayDispatchEvents.Ready) this.connection?.send(json);
    else if (this.connection !== null) this.#faults.pass(this, json);
  }

  /** Ends a replay. RESUMED has a sequence number like any dispatch. */
  resumed(): void {
    this.dispatch({ t: GatewayDispatchEvents.Resumed, d: undefined });
  }

  /** What came after a sequence number, or null when that is no longer known. */
  missedSince(sequence: number): readonly string[] | null {
    const first = this.#replay[0]?.sequence ?? this.#sequence + 1;
    if (sequence + 1 < first) return null;
    return this.#replay.filter((entry) => entry.sequence > sequence).map((entry) => entry.json);
  }
}
