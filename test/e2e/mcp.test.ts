import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, run } from "./binary.ts";
import { until } from "./site.ts";

setDefaultTimeout(60_000);

const user = "100000000000000001";
let root: string;
beforeAll(async () => {
  binary();
  root = await realpath(await mkdtemp(join(tmpdir(), "mcp-")));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A folder from which the executable is run, in which no service runs yet. */
function place(): { readonly folder: string; readonly log: () => string } {
  const folder = join(root, crypto.randomUUID());
  mkdirSync(folder);
  const log = join(folder, "data/mcp-service.log");
  return { folder, log: () => (existsSync(log) ? readFileSync(log, "utf8") : "") };
}

const counted = (text: string, what: string): number => text.split(`"message":"${what}"`).length - 1;

interface Client extends AsyncDisposable {
  /** Resolves with the answer to a first request. */
  initialize(): Promise<{ readonly id: unknown }>;
  end(): void;
  kill(): void;
  readonly err: Promise<string>;
  readonly exited: Promise<number>;
}

/** The executable as a client starts it, with nothing of this process's environment. */
function client(cwd: string, args: readonly string[] = [], env: Record<string, string> = {}): Client {
  const child = Bun.spawn({
    cmd: [binary(), "mcp", "--operator", "--user", user, ...args],
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: cwd, ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.getReader();
  return {
    async initialize() {
      const params = {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "test", version: "1" },
      };
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params })}\n`);
      child.stdin.flush();
      let text = "";
      while (!text.includes("\n")) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`It ended without an answer: ${await new Response(child.stderr).text()}`);
        text += new TextDecoder().decode(value);
      }
      return JSON.parse(text);
    },
    end: () => void child.stdin.end(),
    kill: () => child.kill("SIGKILL"),
    get err() {
      return new Response(child.stderr).text();
    },
    exited: child.exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

describe("discord-mcp mcp where no service runs", () => {
  test("clients that come at once share one service, which ends after the last", async () => {
    const { folder, log } = place();
    const clients = [client(folder), client(folder), client(folder)];
    await using _first = clients[0];
    await using _second = clients[1];
    await using _third = clients[2];
    for (const answer of await Promise.all(clients.map((one) => one.initialize()))) expect(answer.id).toBe(1);
    expect(counted(log(), "started")).toBe(1);
    expect(existsSync(join(folder, "data/control.sock"))).toBe(true);
    for (const one of clients) one.end();
    await Promise.all(clients.map(({ exited }) => exited));
    await until("the service's end", () => counted(log(), "stopped") === 1);
    expect(existsSync(join(folder, "data/control.sock"))).toBe(false);
    expect(log()).not.toContain('"level":"ERROR"');
  });

  test("it is not left behind by a client that is killed, and the next client gets another", async () => {
    const { folder, log } = place();
    await using killed = client(folder);
    await killed.initialize();
    killed.kill();
    await until("the service's end", () => counted(log(), "stopped") === 1);
    await using next = client(folder);
    expect((await next.initialize()).id).toBe(1);
    expect(counted(log(), "started")).toBe(2);
    next.end();
    await next.exited;
    await until("the second service's end", () => counted(log(), "stopped") === 2);
  });

  test("what keeps it from starting is told to the client and on standard error", async () => {
    const { folder } = place();
    using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    await using one = client(folder, [], { MCP_PORT: String(taken.port) });
    expect(await one.initialize()).toMatchObject({
      id: 1,
      error: { message: expect.stringContaining(`Port ${taken.port} of 127.0.0.1 is in use`) },
    });
    expect(await one.exited).toBe(1);
    expect(await one.err).toContain("is in use");
  });

  test("the .env of the folder that a client happens to be in is none of its business", async () => {
    const { folder, log } = place();
    await writeFile(join(folder, ".env"), "DATABASE_URL=file:./data/discord-mcp.db\nLOG_LEVEL=debug\n");
    const project = place();
    await writeFile(
      join(project.folder, ".env"),
      "DATABASE_URL=postgres://their.database\nLOG_LEVEL=loud\nMCP_PORT=many\n",
    );
    await using one = client(project.folder, ["--folder", folder]);
    expect((await one.initialize()).id).toBe(1);
    expect(counted(log(), "started")).toBe(1);
    expect(existsSync(join(project.folder, "data"))).toBe(false);
    one.end();
    await one.exited;
    await until("the service's end", () => counted(log(), "stopped") === 1);
  });
});

describe("discord-mcp mcp where a service runs", () => {
  test("it is that service that answers, and it stays", async () => {
    const { folder, log } = place();
    await using service = run([], folder, { MCP_PORT: "0" });
    await service.waitFor(/listening on/);
    await using one = client(folder);
    expect((await one.initialize()).id).toBe(1);
    one.end();
    await one.exited;
    expect(log()).toBe("");
    expect(await run(["doctor", "--live"], folder).exited).toBe(0);
    service.kill("SIGTERM");
    expect(await service.exited).toBe(0);
  });
});
