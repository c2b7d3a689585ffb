import type { APIApplicationCommand, APIGatewaySessionStartLimit } from "discord-api-types/v10";
import type { ChannelChanges } from "../channel-changes.ts";
import type { PrivilegedIntents } from "../gateway-intents.ts";
import type { GuildChanges } from "../guild-changes.ts";
import type { InteractionStore } from "../interactions.ts";
import type { MemberChanges } from "../member-changes.ts";
import type { Messaging } from "../messaging.ts";
import type { World } from "../world.ts";
import type { Publish } from "../world-events.ts";
import type { NonceMemory } from "./nonces.ts";

/** What routes work with. */
export interface RestServices {
  readonly world: World;
  readonly messaging: Messaging;
  readonly publish: Publish;
  readonly changes: {
    readonly guilds: GuildChanges;
    readonly channels: ChannelChanges;
    readonly members: MemberChanges;
  };
  readonly nonces: NonceMemory;
  readonly interactions: InteractionStore;
  /** By guild, "" for the global ones. */
  readonly commands: Map<string, APIApplicationCommand[]>;
  readonly allowedIntents: PrivilegedIntents;
  readonly gatewayUrl: () => string;
  /** The application's, in hex. */
  readonly publicKey: string;
  readonly recommendedShards: number;
  readonly startLimit: APIGatewaySessionStartLimit;
}

export interface RestRequest extends RestServices {
  readonly method: string;
  /** Decoded, without the version: /channels/1/messages. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  /** What the JSON body holds; undefined without one. */
  readonly body: unknown;
  /** A part of the path by its name in the route. */
  readonly param: (name: string) => string;
}

export interface RestReply {
  readonly status: number;
  readonly body?: unknown;
}

export interface Route {
  readonly method: string;
  /** Such as /channels/:channelId/messages; the first id is the major parameter of the rate limit. */
  readonly pattern: string;
  /** False for routes whose token is in their path. */
  readonly authorized?: boolean;
  readonly handle: (request: RestRequest) => RestReply;
}

export const ok = (body: unknown): RestReply => ({ status: 200, body });
export const noContent: RestReply = { status: 204 };
