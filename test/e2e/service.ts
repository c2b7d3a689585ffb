import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
import { attachContract, type Contract } from "../simulator/discord/openapi-contract.ts";
import { Client, type Frame } from "./client.ts";
import { channels, guildId, Surroundings, users } from "./surroundings.ts";

export interface ServiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly discord?: DiscordSimulatorOptions;
  readonly claude?: ClaudeSimulatorOptions;
}

/** The whole service in this process, as `serve` puts it together, before the simulated Discord and Claude. */
export class Service extends Surroundings implements AsyncDisposable {
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
    super(discord, claude, 15_000);
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

/** A turn's event on a socket. */
export function eventOf(frame: Frame): { readonly type: string } & Readonly<Record<string, unknown>> {
  return frame.data.event as { type: string };
}

export const place = { user_id: users.ana, channel_id: channels.general, guild_id: guildId };
