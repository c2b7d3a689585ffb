import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
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

/**
 * The one process of the executable in that folder whose command line has that word, once there is just one: of two
 * services that clients started at once, one finds the other there and ends.
 */
async function processOf(folder: string, word: string): Promise<number> {
  const found = (): string[] =>
    readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && isOf(pid, folder, word));
  await until(`one process with ${word}`, () => found().length === 1);
  return Number(found()[0]);
}

function isOf(pid: string, folder: string, word: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words[0] === binary() && words.includes(word) && readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false;
  }
}

/** Dead, though nobody may have fetched its exit code yet. */
function isGone(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

const counted = (text: string, what: string): number => text.split(`"message":"${what}"`).length - 1;

const handshake = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  },
};
/** What the service answers it with; an error has the same id. */
const greeting = {
  jsonrpc: "2.0",
  id: 1,
  result: { protocolVersion: "2025-11-25", serverInfo: { name: "discord-mcp" } },
};

interface Client extends AsyncDisposable {
  readonly pid: number;
  /** Resolves with the answer to a first request. */
  initialize(): Promise<unknown>;
  /** The next line, parsed. Rejects at the end. */
  read(): Promise<unknown>;
  ask(id: number, method: string, params?: object): void;
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
  const lines = linesOf(child.stdout);
  const read = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`It ended without an answer: ${await new Response(child.stderr).text()}`);
    return JSON.parse(value);
  };
  const write = (message: object) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    child.stdin.flush();
  };
  return {
    pid: child.pid,
    async initialize() {
      write(handshake);
      return await read();
    },
    read,
    ask: (id, method, params = {}) => write({ jsonrpc: "2.0", id, method, params }),
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

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of stream) {
    const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

describe("discord-mcp mcp where no service runs", () => {
  test("clients that come at once share one service, which ends after the last", async () => {
    const { folder, log } = place();
    const clients = [client(folder), client(folder), client(folder)];
    await using _first = clients[0];
    await using _second = clients[1];
    await using _third = clients[2];
    for (const answer of await Promise.all(clients.map((one) => one.initialize())))
      expect(answer).toMatchObject(greeting);
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
    expect(await killed.initialize()).toMatchObject(greeting);
    killed.kill();
    await until("the service's end", () => counted(log(), "stopped") === 1);
    await using next = client(folder);
    expect(await next.initialize()).toMatchObject(greeting);
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
    expect(await one.initialize()).toMatchObject(greeting);
    expect(counted(log(), "started")).toBe(1);
    expect(existsSync(join(project.folder, "data"))).toBe(false);
    one.end();
    await one.exited;
    await until("the service's end", () => counted(log(), "stopped") === 1);
  });
});

describe("discord-mcp mcp when one of the three is killed", () => {
  test("the client: the bridge ends, and the service after it", async () => {
    const { folder, log } = place();
    const command = [binary(), "mcp", "--operator", "--user", user];
    const client = Bun.spawn({
      cmd: [
        process.execPath,
        "-e",
        `const child = Bun.spawn({ cmd: ${JSON.stringify(command)}, stdin: "pipe", stdout: "pipe" });
         child.stdin.write(${JSON.stringify(`${JSON.stringify(handshake)}\n`)});
         child.stdin.flush();
         for await (const part of child.stdout) process.stdout.write(part);`,
      ],
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", HOME: folder },
      stdout: "pipe",
    });
    const { value = "" } = await linesOf(client.stdout).next();
    expect(JSON.parse(value)).toMatchObject(greeting);
    const bridge = await processOf(folder, "--operator");
    const service = await processOf(folder, "--until-idle");
    expect([isGone(bridge), isGone(service)]).toEqual([false, false]);
    client.kill("SIGKILL");
    await until("the bridge's end", () => isGone(bridge));
    await until("the service's end", () => isGone(service));
    expect(counted(log(), "stopped")).toBe(1);
  });

  test("the service: what waits is answered, the bridge ends, and the next client gets another service", async () => {
    const { folder, log } = place();
    await using one = client(folder);
    await using two = client(folder);
    expect(await one.initialize()).toMatchObject(greeting);
    expect(await two.initialize()).toMatchObject(greeting);
    const service = await processOf(folder, "--until-idle");
    // Stopped first, so that it cannot answer before it dies.
    process.kill(service, "SIGSTOP");
    one.ask(2, "tools/list");
    process.kill(service, "SIGKILL");
    const lost = { id: 2, error: { message: expect.stringContaining("was lost") } };
    expect(await one.read()).toMatchObject(lost);
    expect([await one.exited, await two.exited]).toEqual([69, 69]);
    await using next = client(folder);
    expect(await next.initialize()).toMatchObject(greeting);
    expect(await processOf(folder, "--until-idle")).not.toBe(service);
    next.end();
    await next.exited;
    await until("the second service's end", () => counted(log(), "stopped") === 1);
  });

  test("one bridge of two: the other goes on with the same service", async () => {
    const { folder, log } = place();
    await using killed = client(folder);
    await using other = client(folder);
    await Promise.all([killed.initialize(), other.initialize()]);
    const service = await processOf(folder, "--until-idle");
    killed.kill();
    await killed.exited;
    other.ask(2, "ping");
    expect(await other.read()).toEqual({ jsonrpc: "2.0", id: 2, result: {} });
    expect(isGone(service)).toBe(false);
    other.kill();
    await until("the service's end", () => isGone(service));
    expect(counted(log(), "stopped")).toBe(1);
  });

  test("the bridge while its service is starting: nobody is left", async () => {
    const { folder, log } = place();
    await using one = client(folder);
    one.ask(1, "ping");
    const service = await processOf(folder, "--until-idle");
    one.kill();
    await until("the service's end", () => isGone(service));
    expect(counted(log(), "stopped")).toBe(1);
  });
});

describe("discord-mcp mcp where a service runs", () => {
  test("it is that service that answers, and it stays", async () => {
    const { folder, log } = place();
    await using service = run([], folder, { MCP_PORT: "0" });
    await service.waitFor(/listening on/);
    await using one = client(folder);
    expect(await one.initialize()).toMatchObject(greeting);
    one.end();
    await one.exited;
    expect(log()).toBe("");
    expect(await run(["doctor", "--live"], folder).exited).toBe(0);
    service.kill("SIGTERM");
    expect(await service.exited).toBe(0);
  });
});
