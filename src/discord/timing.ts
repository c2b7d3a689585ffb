import { type GatewayTiming, gatewayTiming } from "./gateway/types.ts";
import { type RestPace, restPace } from "./rest/client.ts";

/** Times in milliseconds; the defaults are for Discord itself. */
export interface DiscordTiming extends GatewayTiming, RestPace {
  /** Between writes of how far the gateway has come. */
  readonly checkpointMs: number;
  /** Between signs of typing in a channel; Discord shows one for ten seconds, https://docs.discord.com/developers/resources/channel#trigger-typing-indicator */
  readonly typingMs: number;
  /** Of the writes of a second, in all channels. */
  readonly typingsPerSecond: number;
  /** How long a post of unknown fate is left alone before it is looked for. */
  readonly lookAfterMs: number;
  readonly retryMs: readonly number[];
  /** Between tries to show a verdict, and to open a direct channel. */
  readonly againMs: number;
  /** A pressed button whose verdict takes longer is answered in two parts. */
  readonly deferMs: number;
  /** How long READY's guilds are waited for before direct messages are caught up. */
  readonly arrivalsMs: number;
  /** How long who asks for the bot's id waits for Discord to be reached. */
  readonly identityMs: number;
  /** How long closing waits for what is being taken in and posted. */
  readonly closeMs: number;
}

export const discordTiming: DiscordTiming = {
  ...gatewayTiming,
  ...restPace,
  checkpointMs: 250,
  typingMs: 8000,
  typingsPerSecond: 5,
  lookAfterMs: 60_000,
  retryMs: [200, 1000, 5000],
  againMs: 15_000,
  deferMs: 1500,
  arrivalsMs: 10_000,
  identityMs: 5000,
  closeMs: 3000,
};
