import { getLogger } from "@logtape/logtape";
import { GatewayDispatchEvents as Events, type GatewayDispatchPayload } from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import { shardOf } from "../../snowflake.ts";
import type { Intake } from "../chat/intake.ts";
import type { Posting } from "../posts/posting.ts";
import type { GuildState } from "../state/guild-state.ts";
import type { MemberLookups } from "../state/member-lookups.ts";
import { Arrivals } from "./arrivals.ts";
import { isPromised } from "./promised-dispatches.ts";

const log = getLogger(["discord-mcp", "discord"]);

/** Who outside of Discord's own parts wants to know what the gateway tells. */
export interface GatewayListeners {
  /** Messages of a channel have come, were edited or are gone. */
  readonly onMessages?: (channelId: string) => void;
  /** Who may be where in that guild, or read what, may have changed. */
  readonly onAccessChanged?: (guildId: string) => void;
  /** The bot was removed from a guild, whose data is to be cleaned up. */
  readonly onGuildRemoved?: (guildId: string) => void;
  /** It is in a guild, perhaps once again. */
  readonly onGuildPresent?: (guildId: string) => void;
  /** A shard's new session has named every guild that the bot is in, of those that are the shard's. */
  readonly onGuildsListed?: (guildIds: readonly string[], isOfShard: (guildId: string) => boolean) => void;
}

export interface GatewayEventsDeps {
  readonly listeners: GatewayListeners;
  readonly state: GuildState;
  readonly intake: Pick<Intake, "dispatch" | "sessionBegan" | "guildsArrived">;
  readonly posting: Pick<Posting, "delivery" | "interactions">;
  readonly members: Pick<MemberLookups, "arrived" | "refused">;
  readonly shardCount: () => number;
  /** How long READY's guilds are waited for. */
  readonly arrivalsMs: number;
}

/** What the gateway brings, and who is told of it: the state first, then whoever rests on it. */
export class GatewayEvents {
  readonly #deps: GatewayEventsDeps;
  readonly #arrivals: Arrivals;
  /** Sessions that are not to be stored before what was missed without them is caught up. */
  #begun: (() => void)[] = [];
  #hasMissed: Promise<boolean> = Promise.resolve(false);

  constructor(deps: GatewayEventsDeps) {
    this.#deps = deps;
    this.#arrivals = new Arrivals(() => void this.#catchUp(), deps.arrivalsMs);
  }

  /** Waits for no guild any more. */
  stop(): void {
    this.#arrivals.stop();
  }

  sessionBegan(shardId: number, shardCount: number): void {
    this.#hasMissed = this.#deps.intake.sessionBegan(shardId, shardCount);
    this.#deps.state.forgetShard(shardId, shardCount);
  }

  /**
   * The promise settles when what it brings is dealt with; undefined when there is nothing to wait for. Throws AppError
   * `discord_error` for what is not as Discord promises it; what is known of the servers is then read by REST.
   */
  dispatch(shardId: number, payload: GatewayDispatchPayload): Promise<void> | undefined {
    const { state, intake, posting, members } = this.#deps;
    if (!isPromised(payload)) {
      // What it was to change in what is known, nobody can say.
      if (!isOfMessages(payload)) state.forgetAll();
      throw new AppError("discord_error", "Discord's gateway sent what makes no sense.");
    }
    state.apply(payload);
    if (payload.t === Events.GuildMembersChunk) members.arrived(payload.d);
    if (payload.t === Events.RateLimited) members.refused(payload.d);
    const catchingUp = payload.t === Events.Ready ? this.#untilCaughtUp() : undefined;
    this.#notePresence(shardId, payload);
    if (payload.t === Events.MessageCreate && payload.d.author.id === state.botUserId)
      this.#confirm(payload.d);
    this.#noteMessages(payload);
    const changedIn = guildOfAccess(payload);
    if (changedIn !== null) this.#deps.listeners.onAccessChanged?.(changedIn);
    if (payload.t === Events.InteractionCreate) posting.interactions.received(payload.d);
    const handling = catchingUp ?? intake.dispatch(payload);
    if (payload.t === Events.GuildCreate) this.#arrivals.arrived(payload.d.id);
    return handling;
  }

  #untilCaughtUp(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#begun.push(resolve);
    void this.#hasMissed.then((isSo) => isSo || resolve());
    return promise;
  }

  async #catchUp(): Promise<void> {
    const sessions = this.#begun;
    this.#begun = [];
    await this.#deps.intake.guildsArrived();
    for (const end of sessions) end();
  }

  /** Where the bot is: one that is down at Discord is still there. */
  #notePresence(shardId: number, { t, d }: GatewayDispatchPayload): void {
    const { onGuildsListed, onGuildPresent, onGuildRemoved } = this.#deps.listeners;
    if (t === Events.Ready) {
      const guildIds = d.guilds.map((guild) => guild.id);
      this.#arrivals.expect(guildIds);
      const shardCount = d.shard?.[1] ?? this.#deps.shardCount();
      onGuildsListed?.(guildIds, (id) => shardOf(id, shardCount) === shardId);
    }
    if (t === Events.GuildCreate) onGuildPresent?.(d.id);
    if (t === Events.GuildDelete && d.unavailable !== true) onGuildRemoved?.(d.id);
  }

  #noteMessages(payload: GatewayDispatchPayload): void {
    if (isOfMessages(payload)) this.#deps.listeners.onMessages?.(payload.d.channel_id);
  }

  #confirm({ nonce, id }: { readonly nonce?: string | number; readonly id: string }): void {
    if (nonce === undefined) return;
    this.#deps.posting.delivery.confirm(String(nonce), id).catch((error: unknown) => {
      log.error("a post could not be marked as sent", { error });
    });
  }
}

const ofMessages = [
  Events.MessageCreate,
  Events.MessageUpdate,
  Events.MessageDelete,
  Events.MessageDeleteBulk,
] as const;
type OfMessages = Extract<GatewayDispatchPayload, { readonly t: (typeof ofMessages)[number] }>;

const isOfMessages = (payload: GatewayDispatchPayload): payload is OfMessages =>
  ofMessages.some((type) => type === payload.t);

/** The guild in which a dispatch may have changed who may do what; null for none. */
function guildOfAccess({ t, d }: GatewayDispatchPayload): string | null {
  switch (t) {
    case Events.GuildCreate:
    case Events.GuildUpdate:
    case Events.GuildDelete:
      return d.id;
    case Events.GuildRoleUpdate:
    case Events.GuildRoleDelete:
    case Events.GuildMemberUpdate:
    case Events.GuildMemberRemove:
    case Events.ThreadMembersUpdate:
      return d.guild_id;
    case Events.ChannelUpdate:
    case Events.ChannelDelete:
    case Events.ThreadUpdate:
    case Events.ThreadDelete:
      return d.guild_id ?? null;
    default:
      return null;
  }
}
