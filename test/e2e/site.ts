import { Database } from "bun:sqlite";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
import { type Running, run } from "./binary.ts";
import { channels, Surroundings } from "./surroundings.ts";

export interface SiteOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly discord?: DiscordSimulatorOptions;
  readonly claude?: ClaudeSimulatorOptions;
}

/** The executable with its data folder, before a simulated Discord and Claude that outlive its processes. */
export class Site extends Surroundings implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "site-"));
  readonly #env: Readonly<Record<string, string>>;
  running: Running;
  url = "";

  private constructor(discord: DiscordSimulator, claude: ClaudeSimulator, env: SiteOptions["env"]) {
    super(discord, claude, 25_000);
    this.#env = {
      MCP_PORT: "0",
      DISCORD_API_URL: discord.apiUrl,
      DISCORD_CDN_URL: discord.cdnUrl,
      DISCORD_TOKEN: discord.token,
      ANTHROPIC_BASE_URL: claude.baseUrl,
      ANTHROPIC_API_KEY: claude.apiKey,
      ...env,
    };
    this.running = run([], this.folder, this.#env);
  }

  /** With a first process that listens; Discord may take longer. */
  static async listening({ env, discord, claude }: SiteOptions = {}): Promise<Site> {
    const site = new Site(
      await startDiscordSimulator({ rateLimits: "off", ...discord }),
      await startClaudeSimulator(claude),
      env,
    );
    await site.#listens();
    return site;
  }

  /** With a first process that is connected, and has stored its gateway session. */
  static async open(options: SiteOptions = {}): Promise<Site> {
    const site = await Site.listening(options);
    await site.discord.waitForReady({ timeoutMs: 20_000 });
    using database = site.database();
    await until(
      "a stored gateway session",
      () => database.query("SELECT 1 FROM gateway_sessions, channel_marks").get() !== null,
    );
    return site;
  }

  async #listens(): Promise<void> {
    const [, url = ""] = await this.running.waitFor(/listening on (http:\S+)/);
    this.url = url;
  }

  /** Another process on the same data. Resolves when it listens; it connects to Discord meanwhile. */
  async begin(): Promise<void> {
    this.running = run([], this.folder, this.#env);
    await this.#listens();
  }

  /** The same, connected to Discord with the session of the process before. */
  async resume(): Promise<void> {
    const since = this.discord.mark();
    await this.begin();
    await this.discord.waitForResume({ since, timeoutMs: 20_000 });
  }

  async kill(): Promise<void> {
    this.running.kill("SIGKILL");
    await this.running.exited;
  }

  /** What lies in the database now. */
  database(): Database {
    const database = new Database(join(this.folder, "data/discord-mcp.db"));
    database.run("PRAGMA busy_timeout = 5000");
    return database;
  }

  /** As if so much time had passed since posts were being sent. To be called while no process runs. */
  agePosts(ms: number): void {
    using database = this.database();
    database.run("UPDATE posts SET sending_at = sending_at - ? WHERE state = 'sending'", [ms]);
  }

  get operatorToken(): string {
    return readFileSync(join(this.folder, "data/operator-token"), "utf8").trim();
  }

  async get(path: string): Promise<unknown> {
    const headers = { Authorization: `Bearer ${this.operatorToken}` };
    return await (await fetch(`${this.url}${path}`, { headers })).json();
  }

  /** How often it was asked of Discord to post there. */
  get postings(): number {
    const path = `/channels/${channels.general}/messages`;
    return this.discord.requests.filter((one) => one.method === "POST" && one.path === path).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.discord.faults.clear();
    await this.running[Symbol.asyncDispose]();
    await Promise.all([this.discord[Symbol.asyncDispose](), this.claude[Symbol.asyncDispose]()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** For what has no event of its own: looked at with each turn of the event loop. */
export async function until(what: string, fits: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!fits()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
