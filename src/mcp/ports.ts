import type { ServerContext } from "@modelcontextprotocol/server";
import type { Actor, OnBehalf, OnForgotten } from "../actor.ts";
import type { TurnEvent } from "../agent/events.ts";
import type { TurnService } from "../agent/turn-service.ts";
import type { PlacesPort, Principal } from "../auth/ports.ts";
import type { Rules } from "../auth/rules.ts";
import type { Session } from "../sessions/ports.ts";
import type { Sessions } from "../sessions/service.ts";
import type { AuditRow } from "../tools/ports.ts";
import type { Registry } from "../tools/registry.ts";

export interface AuditPort {
  list(filter: {
    readonly limit: number;
    readonly actorUserId: string;
    /** Null: outside of servers. */
    readonly guildId?: string | null;
  }): Promise<readonly AuditRow[]>;
}

export interface McpDeps {
  readonly tools: Pick<Registry, "list" | "usable" | "call">;
  readonly rules: Rules;
  readonly places: PlacesPort;
  readonly sessions: Pick<
    Sessions,
    "open" | "get" | "touch" | "context" | "conversations" | "history" | "assertMayHear" | "assertMayRead"
  >;
  readonly turns: Pick<
    TurnService,
    "submit" | "wait" | "cancel" | "ask" | "approval" | "pendingApprovals" | "decide" | "useApproval"
  >;
  /** The audit log, newest first. */
  readonly audit: AuditPort;
  /** The servers that the bot is in. */
  readonly guildNames: () => Iterable<{ readonly id: string; readonly name: string }>;
  /** Hears of each channel in which messages come, are edited or go; returns what ends that. */
  readonly onMessages: (listener: (channelId: string) => void) => () => void;
  readonly onForgotten?: OnForgotten;
  /** What may store something of a caller's person is done by this. */
  readonly onBehalf?: OnBehalf;
  /** Whether somebody may read a channel's messages now. Never rejects: what cannot be established is no. */
  readonly mayRead: (actor: Actor, channelId: string, signal: AbortSignal) => Promise<boolean>;
  /** Every event of every turn; returns what ends that. */
  readonly onTurnEvent: (listener: (event: TurnEvent) => void) => () => void;
  /** What the state of unfinished calls, which clients carry, is sealed by. */
  readonly secretKey: string;
  /** How long a question waits for its answer, in milliseconds. */
  readonly approvalMs: number;
  readonly version: string;
  readonly now: () => number;
}

/** From where a client says that it calls, and for whom; null where it says nothing. */
export interface ClaimedPlace {
  readonly userId: string | null;
  readonly guildId: string | null;
  readonly channelId: string | null;
}

export interface McpCaller {
  readonly principal: Principal;
  /** On whose behalf; null for an operator who has named nobody, who can look at the tools and call none. */
  readonly actor: Actor | null;
  /** Of a session token alone. */
  readonly session: Session | null;
}

/** One request of a client, being answered. */
export interface Exchange {
  readonly caller: McpCaller;
  readonly context: ServerContext;
  /** Aborted when the client has cancelled the request or is gone. */
  readonly signal: AbortSignal;
  /** Whether the client can put a question to its person. */
  readonly canElicit: boolean;
}
