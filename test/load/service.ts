import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Part, startPart, textOf } from "../bench/parts.ts";
import { residentOf } from "../bench/processes.ts";
import { type Running, run } from "../e2e/binary.ts";

/** More than the bounds of what is tried: descriptors of a process, as many as the machine lets it have. */
const raised = ["sh", "-c", 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$@"', "sh"];

/** A script of this folder, with as many descriptors as there may be. */
export const startMany = (script: URL, args: Readonly<Record<string, string | number>> = {}): Promise<Part> =>
  startPart(script, args, [...raised, process.execPath]);

const plenty = "999999999/1";

/** The executable, with its Discord and its Claude in another process. */
export class LoadedService implements AsyncDisposable {
  readonly world: Part;
  readonly url: string;
  readonly #running: Running;
  readonly #folder: string;

  private constructor(world: Part, running: Running, folder: string, url: string) {
    this.world = world;
    this.#running = running;
    this.#folder = folder;
    this.url = url;
  }

  /** Resolves once Discord is ready. The service inherits the descriptors of this process. */
  static async start(people: number, env: Readonly<Record<string, string>>): Promise<LoadedService> {
    const world = await startMany(new URL("./world-part.ts", import.meta.url), { people });
    const folder = mkdtempSync(join(tmpdir(), "load-"));
    const { facts } = world;
    const running = run([], folder, {
      MCP_PORT: "0",
      LOG_LEVEL: "warning",
      DISCORD_API_URL: textOf(facts, "discordUrl"),
      DISCORD_TOKEN: textOf(facts, "discordToken"),
      ANTHROPIC_BASE_URL: textOf(facts, "claudeUrl"),
      ANTHROPIC_API_KEY: textOf(facts, "claudeKey"),
      TOOLS: "all",
      RATE_LIMIT_TOKEN: plenty,
      RATE_LIMIT_ADDRESS: plenty,
      USER_TOKENS_PER_DAY: "0",
      GUILD_TOKENS_PER_DAY: "0",
      ...env,
    });
    const [, url = ""] = await running.waitFor(/listening on (http:\S+)/);
    const service = new LoadedService(world, running, folder, url);
    while ((await fetch(`${url}/health/ready`, { headers: service.headers })).status !== 200)
      await Bun.sleep(20);
    return service;
  }

  get pid(): number {
    return this.#running.pid;
  }

  get token(): string {
    return readFileSync(join(this.#folder, "data/operator-token"), "utf8").trim();
  }

  get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  /** Another operator's token, with connections and limits of its own. */
  async makeToken(name: string): Promise<string> {
    await using command = run(["token", "create", "--name", name, "--operator"], this.#folder);
    await command.exited;
    const token = /dmcp_\S+/.exec(command.output)?.[0];
    if (token === undefined) throw new Error(`No token was made: ${command.output}`);
    return token;
  }

  resident(): Promise<number> {
    return residentOf(this.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
