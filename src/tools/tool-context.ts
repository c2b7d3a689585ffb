import type { APIChannel } from "discord-api-types/v10";
import type { Actor } from "../actor.ts";
import type { Audience, FlowPort } from "../agent/ports.ts";
import type { ToolPolicy } from "../config/tool-policy.ts";
import { toActor } from "./audiences.ts";
import type { Authority } from "./authority.ts";
import { restsOn, type ToolCall } from "./call.ts";
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

/** The one call that a tool runs for. */
export interface CallScope {
  readonly call: Pick<ToolCall, "actor" | "activeTools" | "audience" | "callId" | "sources" | "turnId">;
  readonly allowed: { readonly authority: Authority };
  readonly underWay: UnderWay;
  /** For Discord's audit log; of calls that change something. */
  readonly actorName: string | null;
  readonly usable: (actor: Actor, activeTools: readonly string[]) => readonly KnownTool[];
}

/** What a tool runs with. Whatever costs something is made when the tool takes it. */
export class CallContext implements ChangeContext {
  readonly #scope: CallScope;
  readonly #deps: ContextDeps;

  constructor(scope: CallScope, deps: ContextDeps) {
    this.#scope = scope;
    this.#deps = deps;
  }

  get actor(): Actor {
    return this.#scope.call.actor;
  }

  get discord(): DiscordReader {
    return this.#deps.discord;
  }

  get change(): DiscordWriter {
    return this.#deps.change;
  }

  get memories(): MemoryStore {
    return this.#deps.memories;
  }

  get sent(): SentMessages {
    return this.#deps.sent;
  }

  get files(): Files {
    return this.#deps.files;
  }

  get now(): () => number {
    return this.#deps.now;
  }

  get signal(): AbortSignal {
    return this.#scope.underWay.signal;
  }

  get authority(): Authority {
    return this.#scope.allowed.authority;
  }

  get sources(): readonly string[] {
    return restsOn(this.#scope.call);
  }

  get audience(): Audience {
    return this.#scope.call.audience ?? toActor(this.actor);
  }

  get policy(): ToolPolicy {
    return this.#deps.policies.of(this.actor.guildId);
  }

  get tools(): ChangeContext["tools"] {
    const { usable, call } = this.#scope;
    return () => usable(call.actor, call.activeTools);
  }

  get restricted(): ChangeContext["restricted"] {
    return (sources) => this.#deps.flow.restricted(this.audience, sources, this.signal);
  }

  get canSee(): ChangeContext["canSee"] {
    return (channelId) => this.#canSee(channelId);
  }

  get visible(): ChangeContext["visible"] {
    return (channels) => this.#visible(channels);
  }

  get reason(): ChangeContext["reason"] {
    const { kind, userId } = this.actor;
    const who = kind === "bot" ? "the bot's operator" : `${this.#scope.actorName ?? "user"} (${userId})`;
    return (why) => {
      const said = why === undefined || why.trim() === "" ? "" : `: ${why.replaceAll(/\s+/g, " ").trim()}`;
      return `For ${who}${said}`.slice(0, maxReason).toWellFormed();
    };
  }

  get nonce(): ChangeContext["nonce"] {
    // Nothing will ever repeat a call that is not named.
    const callId = this.#scope.call.callId ?? crypto.randomUUID();
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
