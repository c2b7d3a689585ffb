import type { APIChannel } from "discord-api-types/v10";
import type { Actor } from "../actor.ts";
import type { Audience, FlowPort } from "../agent/ports.ts";
import type { ToolPolicy } from "../config/tool-policy.ts";
import type { Authority } from "./authority.ts";
import { channelFacts } from "./channel-facts.ts";
import type { UnderWay } from "./deadline.ts";
import type { DiscordReader, DiscordWriter } from "./discord-port.ts";
import type { Policies } from "./policy.ts";
import type { Files, MemoryStore, SentMessages } from "./ports.ts";
import type { ChangeContext, KnownTool } from "./tool.ts";

const maxReason = 512;

export interface ContextDeps {
  readonly discord: DiscordReader;
  readonly change: DiscordWriter;
  readonly memories: MemoryStore;
  readonly sent: SentMessages;
  readonly files: Files;
  readonly flow: FlowPort;
  readonly policies: Policies;
  readonly now: () => number;
}

export interface CallScope {
  readonly actor: Actor;
  readonly allowed: { readonly authority: Authority };
  readonly sources: readonly string[];
  readonly audience: Audience;
  /** Names the call: for a turn's, its turn, step and call. Null: nothing will ever repeat it. */
  readonly callId: string | null;
  readonly tools: () => readonly KnownTool[];
  /** For Discord's audit log; of calls that change something. */
  readonly actorName?: string;
}

/** What a tool runs with. Whatever costs something is made when the tool takes it. */
export class CallContext implements ChangeContext {
  readonly actor: Actor;
  readonly discord: DiscordReader;
  readonly change: DiscordWriter;
  readonly memories: MemoryStore;
  readonly sent: SentMessages;
  readonly files: Files;
  readonly now: () => number;
  readonly sources: readonly string[];
  readonly audience: Audience;
  readonly tools: () => readonly KnownTool[];
  readonly #policies: Policies;
  readonly #flow: FlowPort;
  readonly #call: UnderWay;
  readonly #callId: string | null;
  readonly #allowed: CallScope["allowed"];
  readonly #actorName: string;

  constructor(scope: CallScope, call: UnderWay, deps: ContextDeps) {
    this.actor = scope.actor;
    this.#allowed = scope.allowed;
    this.#actorName = scope.actorName ?? "user";
    this.sources = scope.sources;
    this.audience = scope.audience;
    this.tools = scope.tools;
    this.#policies = deps.policies;
    this.#flow = deps.flow;
    this.discord = deps.discord;
    this.change = deps.change;
    this.memories = deps.memories;
    this.sent = deps.sent;
    this.files = deps.files;
    this.now = deps.now;
    this.#call = call;
    this.#callId = scope.callId;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get authority(): Authority {
    return this.#allowed.authority;
  }

  get policy(): ToolPolicy {
    return this.#policies.of(this.actor.guildId);
  }

  get restricted(): ChangeContext["restricted"] {
    return (sources) => this.#flow.restricted(this.audience, sources, this.signal);
  }

  get canSee(): ChangeContext["canSee"] {
    return (channelId) => this.#canSee(channelId);
  }

  get visible(): ChangeContext["visible"] {
    return (channels) => this.#visible(channels);
  }

  get reason(): ChangeContext["reason"] {
    const who =
      this.actor.kind === "bot" ? "the bot's operator" : `${this.#actorName} (${this.actor.userId})`;
    return (why) => {
      const said = why === undefined || why.trim() === "" ? "" : `: ${why.replaceAll(/\s+/g, " ").trim()}`;
      return `For ${who}${said}`.slice(0, maxReason).toWellFormed();
    };
  }

  get nonce(): ChangeContext["nonce"] {
    const callId = this.#callId ?? crypto.randomUUID();
    return () => new Bun.CryptoHasher("sha256").update(`tool ${callId}`).digest("base64url").slice(0, 22);
  }

  async #canSee(channelId: string): Promise<boolean> {
    if (this.actor.guildId === null) return channelId === this.actor.channelId;
    try {
      return (await this.authority.visibleChannels()).some(({ id }) => id === channelId);
    } catch {
      return false;
    }
  }

  async #visible(channels: readonly APIChannel[]): Promise<readonly APIChannel[]> {
    const { guildId } = this.actor;
    if (guildId === null) return [];
    try {
      const standings = await Promise.all(
        channels.map((channel) => this.authority.inChannel(channelFacts(channel, guildId))),
      );
      return channels.filter((_, index) => standings[index] !== null);
    } catch {
      // Not established is not seen. A failure that matters meets the tool in its own requests too.
      return [];
    }
  }
}
