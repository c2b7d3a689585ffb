import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { APIMessage } from "discord-api-types/v10";
import type { TurnEvent } from "../../src/agent/events.ts";
import { type App, createApp } from "../../src/app.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { configureLogging } from "../../src/log.ts";
import {
  type ClaudeSimulator,
  type ClaudeSimulatorOptions,
  startClaudeSimulator,
} from "../../src/simulator/claude/simulator.ts";
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import { attachContract, type Contract } from "../simulator/discord/openapi-contract.ts";
import { Client, type Frame } from "./client.ts";

export const { users, channels, roles, guildId, botId } = DEMO;
export const mention = `<@${botId}>`;

export interface ServiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly discord?: DiscordSimulatorOptions;
  readonly claude?: ClaudeSimulatorOptions;
}

/** The whole service in this process, as `serve` puts it together, before the simulated Discord and Claude. */
export class Service implements AsyncDisposable {
  readonly discord: DiscordSimulator;
  readonly claude: ClaudeSimulator;
  readonly contract: Contract;
  readonly config: Config;
  readonly events: TurnEvent[] = [];
  /** What it has logged so far, a line each. */
  readonly logs: string[] = [];
  url = "";
  readonly #folder: string;
  #app: App | null = null;
  readonly #opened = new AsyncDisposableStack();

  private constructor(discord: DiscordSimulator, claude: ClaudeSimulator, env: ServiceOptions["env"]) {
    this.discord = discord;
    this.claude = claude;
    this.contract = attachContract(discord);
    this.#folder = mkdtempSync(join(tmpdir(), "service-"));
    this.config = readConfig({
      DATABASE_URL: join(this.#folder, "service.db"),
      MCP_PORT: "0",
      DISCORD_API_URL: discord.apiUrl,
      DISCORD_CDN_URL: discord.cdnUrl,
      DISCORD_TOKEN: discord.token,
      ANTHROPIC_BASE_URL: claude.baseUrl,
      ANTHROPIC_API_KEY: claude.apiKey,
      ANTHROPIC_MAX_RETRIES: "1",
      LOG_LEVEL: "debug",
      ...env,
    });
  }

  /** Resolves once Discord is ready. */
  static async start({ env, discord, claude }: ServiceOptions = {}): Promise<Service> {
    const service = new Service(
      await startDiscordSimulator({ rateLimits: "off", ...discord }),
      await startClaudeSimulator(claude),
      env,
    );
    await service.#open();
    return service;
  }

  async #open(): Promise<void> {
    const opened = this.#opened;
    opened.defer(() => rmSync(this.#folder, { recursive: true, force: true }));
    opened.use(this.discord);
    opened.use(this.claude);
    const { level, format } = this.config.log;
    opened.use(await configureLogging({ level, format, sink: (line) => void this.logs.push(line) }));
    opened.defer(() => this.#app?.[Symbol.asyncDispose]());
    opened.defer(() => this.#app?.drain(AbortSignal.abort()));
    opened.defer(() => this.discord.faults.clear());
    await this.#start();
  }

  async #start(): Promise<void> {
    this.#app = await createApp(this.config);
    this.#app.onTurnEvent((event) => void this.events.push(event));
    ({ url: this.url } = await this.#app.start());
    await this.#app.discordReady;
  }

  /** Ends the service as a clean shutdown does, and starts it anew on what it has stored. */
  async restart(): Promise<void> {
    await this.#app?.drain(AbortSignal.abort());
    await this.#app?.[Symbol.asyncDispose]();
    await this.#start();
  }

  get operatorToken(): string {
    return readFileSync(join(this.#folder, "operator-token"), "utf8").trim();
  }

  /** Ana writes in #general, when nothing else is said. */
  say(content: string, more: Partial<Parameters<DiscordSimulator["say"]>[0]> = {}): APIMessage {
    return this.discord.say({ userId: users.ana, channelId: channels.general, content, ...more });
  }

  /** The message that the bot answers that one with. */
  replyTo({ id }: Pick<APIMessage, "id">): Promise<APIMessage> {
    return this.discord.waitForMessage(
      (one) => one.author.id === botId && one.message_reference?.message_id === id,
      { timeoutMs: 15_000 },
    );
  }

  /** Says it, and resolves with the answer. */
  async ask(content: string, more: Partial<Parameters<DiscordSimulator["say"]>[0]> = {}): Promise<string> {
    const reply = await this.replyTo(this.say(content, more));
    return reply.content;
  }

  /** All that the bot has posted in a channel, oldest first. */
  posted(channelId: string = channels.general): readonly APIMessage[] {
    return this.discord.world.messages.in(channelId).filter((message) => message.author.id === botId);
  }

  /** The bodies of the model's requests, oldest first. */
  get asked(): readonly Asked[] {
    return this.claude.requests.filter(isMessage).map((request) => JSON.parse(request.rawBody));
  }

  /** Resolves when the model has been asked so often, held or not. */
  async untilAsked(times: number): Promise<void> {
    await this.claude.waitForRequest(() => this.claude.requests.filter(isMessage).length >= times);
  }

  connect(): Promise<Client> {
    return Client.open(this.url, this.operatorToken);
  }

  async get(path: string): Promise<Response> {
    return await fetch(`${this.url}${path}`, { headers: { Authorization: `Bearer ${this.operatorToken}` } });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync();
  }
}

export const isMessage = ({ path }: { readonly path: string }): boolean => path.startsWith("/v1/messages");

export interface Block {
  readonly type: string;
  readonly text?: string;
  readonly content?: string;
  readonly is_error?: boolean;
  readonly name?: string;
  readonly id?: string;
  readonly tool_use_id?: string;
  readonly cache_control?: unknown;
}

/** A request of the Messages API, as the product writes them: content is always blocks. */
export interface Asked {
  readonly system: readonly Block[];
  readonly tools?: readonly Block[];
  readonly messages: readonly { readonly role: string; readonly content: readonly Block[] }[];
}

/** All words of the request's messages, oldest first. */
export function words({ messages }: Asked): string {
  return messages
    .flatMap(({ content }) => content)
    .map(({ text, content }) => text ?? content ?? "")
    .join("\n");
}

/** The words of the newest message: what the person has just said, with what stands before it, or the tools' results. */
export function newest(asked: Asked | undefined): string {
  return asked === undefined ? "" : words({ ...asked, messages: asked.messages.slice(-1) });
}

/** The results that the newest message brings. */
export function results(asked: Asked | undefined): readonly Block[] {
  return asked?.messages.at(-1)?.content.filter(({ type }) => type === "tool_result") ?? [];
}

/** A turn's event on a socket. */
export function eventOf(frame: Frame): { readonly type: string } & Readonly<Record<string, unknown>> {
  return frame.data.event as { type: string };
}

export const place = { user_id: users.ana, channel_id: channels.general, guild_id: guildId };
