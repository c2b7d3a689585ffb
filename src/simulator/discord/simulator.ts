import type { APIMessage, APIUser } from "discord-api-types/v10";
import { ChannelChanges } from "./channel-changes.ts";
import { Gateway, type GatewayNote } from "./gateway.ts";
import type { PrivilegedIntents } from "./gateway-intents.ts";
import { GatewayTrouble } from "./gateway-trouble.ts";
import { GuildChanges } from "./guild-changes.ts";
import { InteractionStarts, makeApplicationKeys } from "./interaction-starts.ts";
import { InteractionStore } from "./interactions.ts";
import type { WaitOptions } from "./journal.ts";
import { MemberChanges } from "./member-changes.ts";
import { Messaging } from "./messaging.ts";
import { People } from "./people.ts";
import type { RestServices } from "./rest/context.ts";
import { type PlantedFault, type RestFault, RestFaults } from "./rest/faults.ts";
import { NonceMemory } from "./rest/nonces.ts";
import { type RateLimitSettings, RateLimits } from "./rest/rate-limits.ts";
import { routes } from "./rest/routes.ts";
import { type Exchange, RestServer } from "./rest/serve.ts";
import type { WorldSeed } from "./seed.ts";
import { gatewaySettings, listen, makeJournals, observation, rateLimits } from "./simulator-parts.ts";
import { World } from "./world.ts";
import { demoWorld } from "./world-seed.ts";

export interface DiscordSimulatorOptions {
  /** 0, the default, takes a free one. Always on 127.0.0.1. */
  readonly port?: number;
  /** The bot token that it accepts. */
  readonly token?: string;
  readonly seed?: WorldSeed;
  /** Milliseconds since 1970: ids, nonces, limits and time-outs go by it. */
  readonly now?: () => number;
  /** What /gateway/bot recommends. */
  readonly shards?: number;
  readonly sessionStartLimit?: {
    readonly total: number;
    readonly remaining: number;
    readonly resetAfter: number;
    readonly maxConcurrency: number;
  };
  /** Which privileged intents are switched on for the application; all by default. */
  readonly privilegedIntents?: boolean | PrivilegedIntents;
  /** Milliseconds; Discord's 41,250 by default. */
  readonly heartbeatInterval?: number;
  /** `discord` by default; `off` refuses nothing, for speed. Both send the headers. Identifies are limited only by `discord`. */
  readonly rateLimits?: "discord" | "off" | RateLimitSettings;
  /** Milliseconds between identifies of a concurrency bucket; 5,000 with `discord` limits, else 0. */
  readonly identifyInterval?: number;
  /** How long, in milliseconds, a session without connection can be resumed; 180,000 by default. */
  readonly sessionTimeout?: number;
  /** Fewer shards than this are closed with 4011. */
  readonly minimumShards?: number;
  /** Exchanges that are kept; 1,000 by default. */
  readonly requestLog?: number;
}

/** A Discord on loopback: gateway and REST over one small world. Made by `startDiscordSimulator`. */
export interface DiscordSimulator extends AsyncDisposable {
  /** What DISCORD_API_URL is set to; clients append /v10. */
  readonly apiUrl: string;
  readonly gatewayUrl: string;
  /** What DISCORD_CDN_URL is set to. */
  readonly cdnUrl: string;
  readonly token: string;
  readonly botUser: APIUser;
  readonly applicationId: string;
  /** Of the application, in hex: what DISCORD_PUBLIC_KEY is set to. */
  readonly publicKey: string;
  readonly world: World;
  readonly people: People;
  /** Changes of the world from outside the bot, each with its gateway event. */
  readonly changes: {
    readonly guilds: GuildChanges;
    readonly channels: ChannelChanges;
    readonly members: MemberChanges;
  };
  /** What people begin with buttons and commands. */
  readonly interact: InteractionStarts;
  botRoleId(guildId: string): string | null;

  say: People["say"];
  edit: People["edit"];
  remove: People["remove"];
  openDirectMessage: People["openDirectMessage"];

  /** This moment, for `since`: waits otherwise count everything since the start, so that no race can lose an answer. */
  mark(): number;
  /** A message that was made or edited, by whomever; earlier ones of the seed do not count. */
  waitForMessage(predicate: (message: APIMessage) => boolean, options?: WaitOptions): Promise<APIMessage>;
  /** The bot's own message, in any channel or in that one. */
  waitForBotMessage(options?: WaitOptions & { readonly channelId?: string }): Promise<APIMessage>;
  /** The bot's typing there. */
  waitForTyping(channelId: string, options?: WaitOptions): Promise<void>;
  waitForRequest(predicate: (exchange: Exchange) => boolean, options?: WaitOptions): Promise<Exchange>;
  waitForIdentify(options?: WaitOptions): Promise<GatewayNote>;
  waitForReady(options?: WaitOptions): Promise<GatewayNote>;
  /** A resume that succeeded. */
  waitForResume(options?: WaitOptions): Promise<GatewayNote>;
  waitForGateway(predicate: (note: GatewayNote) => boolean, options?: WaitOptions): Promise<GatewayNote>;

  /** The latest exchanges, oldest first. */
  readonly requests: readonly Exchange[];
  readonly gatewayNotes: readonly GatewayNote[];
  /** Hears of each exchange; returns what ends that. */
  onExchange(listener: (exchange: Exchange) => void): () => void;
  /** Hears of each message that is made or edited; returns what ends that. */
  onMessage(listener: (message: APIMessage) => void): () => void;

  readonly faults: {
    rest(fault: RestFault): PlantedFault;
    readonly gateway: GatewayTrouble;
    /** Releases and forgets every planted fault. */
    clear(): void;
    /** From now on the token is refused, as after a reset in the developer portal. */
    revokeToken(): void;
  };
}

export async function startDiscordSimulator(
  options: DiscordSimulatorOptions = {},
): Promise<DiscordSimulator> {
  const now = options.now ?? Date.now;
  const world = new World(options.seed ?? demoWorld(), now);
  const journals = makeJournals(options.requestLog ?? 1000);
  const settings = gatewaySettings(options);
  const gateway = new Gateway(world, settings, journals.gateway);
  const publish = gateway.publish.bind(gateway);
  const messaging = new Messaging(world, publish, journals.messages);
  const interactions = new InteractionStore(now);
  const keys = makeApplicationKeys();
  const changes = {
    guilds: new GuildChanges(world, publish, gateway.announce.bind(gateway)),
    channels: new ChannelChanges(world, publish),
    members: new MemberChanges(world, publish),
  };
  const services: RestServices = {
    world,
    messaging,
    changes,
    publish,
    nonces: new NonceMemory(now),
    interactions,
    commands: new Map(),
    allowedIntents: settings.allowed,
    gatewayUrl: () => settings.url,
    publicKey: keys.publicKey,
    recommendedShards: options.shards ?? 1,
    startLimit: settings.startLimit,
  };
  const restFaults = new RestFaults();
  const limits = new RateLimits(rateLimits(options), now);
  const rest = new RestServer(routes, {
    services,
    token: () => settings.token,
    limits,
    faults: restFaults,
    journal: journals.requests,
    now,
  });
  const server = listen(options.port ?? 0, gateway, rest, world.cdn);
  world.cdn.base = `http://127.0.0.1:${server.port}`;
  settings.url = `ws://127.0.0.1:${server.port}/gateway`;
  const people = new People(world, messaging, publish);
  const trouble = new GatewayTrouble(gateway);
  const { token } = settings;

  return {
    apiUrl: `http://127.0.0.1:${server.port}/api`,
    gatewayUrl: settings.url,
    cdnUrl: world.cdn.base,
    token,
    botUser: world.botUser,
    applicationId: world.applicationId,
    world,
    people,
    changes,
    interact: new InteractionStarts(world, publish, interactions, keys),
    publicKey: keys.publicKey,
    botRoleId: (guildId) => world.botRoleId(guildId),
    say: people.say.bind(people),
    edit: people.edit.bind(people),
    remove: people.remove.bind(people),
    openDirectMessage: people.openDirectMessage.bind(people),
    ...observation(journals, world.botUser.id),
    get requests() {
      return journals.requests.entries;
    },
    get gatewayNotes() {
      return journals.gateway.entries;
    },
    faults: {
      rest: (fault) => restFaults.plant(fault),
      gateway: trouble,
      clear() {
        restFaults.clear();
        trouble.clear();
      },
      revokeToken() {
        settings.token = crypto.randomUUID();
      },
    },
    async [Symbol.asyncDispose]() {
      restFaults.clear();
      gateway.endEverything();
      for (const journal of [journals.messages, journals.requests, journals.gateway]) journal.close();
      await server.stop(true);
    },
  };
}
