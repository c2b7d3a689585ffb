import { DefaultWebSocketManagerOptions, type FetchingStrategyOptions } from "@discordjs/ws";
import type { APIGatewayBotInfo } from "discord-api-types/v10";

export interface ShardOptions {
  readonly token: string;
  /** Asked at each connection: fewer may be granted than were asked for. */
  readonly intents: () => number;
  readonly shardCount: number;
  readonly gateway: APIGatewayBotInfo;
  /** A connection that was ready for longer than this was no failure. */
  readonly steadyMs: number;
  readonly now: () => number;
}

const helloTimeoutMs = 20_000;
const readyTimeoutMs = 30_000;
/** Members of larger servers are not sent; the state keeps none of those who are. */
const largeThreshold = 50;

/** No compression: what it saves of a chat bot's traffic is not worth inflating every frame on our one thread. */
export function shardOptions({ token, intents, shardCount, gateway }: ShardOptions): FetchingStrategyOptions {
  const { version, encoding } = DefaultWebSocketManagerOptions;
  return {
    token,
    intents: intents(),
    shardCount,
    gatewayInformation: gateway,
    version,
    encoding,
    compression: null,
    useIdentifyCompression: false,
    handshakeTimeout: 30_000,
    helloTimeout: helloTimeoutMs,
    readyTimeout: readyTimeoutMs,
    largeThreshold,
    initialPresence: null,
    identifyProperties: { os: "linux", browser: "discord-mcp", device: "discord-mcp" },
  };
}
