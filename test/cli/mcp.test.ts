import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ChannelCredentials, ControlChannel, ServeChannel } from "../../src/control/channels.ts";
import { type Control, serveControl } from "../../src/control/control.ts";
import { AppError } from "../../src/errors.ts";
import { command } from "./io.ts";
import { echo } from "./mcp-echo.ts";

setDefaultTimeout(30_000);

const main = resolve(import.meta.dir, "../../src/main.ts");
const ana = "100000000000000001";
const token = `dmcp_0123456789abcdef_${"x".repeat(43)}`;
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "mcp-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** The service's end, in this process: real socket, real channels, and a server behind them that echoes. */
class Host implements Disposable {
  readonly folder: string;
  readonly introduced: ChannelCredentials[] = [];
  readonly seen: string[] = [];
  readonly channels: ControlChannel[] = [];
  readonly #control: Control;
  readonly #closed = Promise.withResolvers<void>();
  readonly #asked = new Map<string, PromiseWithResolvers<void>>();

  constructor(serve?: ServeChannel, name: string = crypto.randomUUID(), accepts = true) {
    this.folder = join(root, name);
    mkdirSync(this.folder);
    this.#control = serveControl(
      this.folder,
      {},
      serve ?? (async (channel, who) => this.#serve(channel, who)),
    );
    if (accepts) this.#control.acceptChannels();
  }

  #serve(channel: ControlChannel, who: ChannelCredentials): void {
    this.introduced.push(who);
    this.channels.push(channel);
    const seen = (text: string) => {
      this.seen.push(text);
      for (const [part, { resolve: found }] of this.#asked) if (text.includes(part)) found();
    };
    echo(channel, seen, () => this.#closed.resolve());
  }

  /** Resolves when a message with that in it has come. */
  async until(part: string): Promise<void> {
    const waiting = Promise.withResolvers<void>();
    this.#asked.set(part, waiting);
    if (this.seen.some((text) => text.includes(part))) return;
    await waiting.promise;
  }

  /** Resolves when the first channel has closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  accept(): void {
    this.#control.acceptChannels();
  }

  stop(): void {
    this.#control.closeChannels();
  }

  [Symbol.dispose](): void {
    this.#control[Symbol.dispose]();
  }
}

class Bridge implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #lines: AsyncGenerator<string>;
  readonly err: Promise<string>;

  constructor(
    folder: string,
    args: readonly string[] = [],
    env: Record<string, string> = { DISCORD_MCP_TOKEN: token },
  ) {
    this.#child = Bun.spawn({
      cmd: [process.execPath, main, "mcp", ...args],
      cwd: root,
      env: { PATH: process.env.PATH ?? "", DATABASE_URL: join(folder, "test.db"), ...env },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#lines = linesOf(this.#child.stdout);
    this.err = new Response(this.#child.stderr).text();
  }

  write(text: string | Uint8Array): void {
    this.#child.stdin.write(text);
    void this.#child.stdin.flush();
  }

  ask(id: number | string, method: string): void {
    this.write(`${JSON.stringify({ jsonrpc: "2.0", id, method })}\n`);
  }

  /** Everything on standard output must be a message. */
  async read(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    return done ? "the end" : JSON.parse(value);
  }

  end(): void {
    void this.#child.stdin.end();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  get exited(): Promise<number> {
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of stream) {
    const lines = `${rest}${decoder.decode(part, { stream: true })}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield `unfinished: ${rest}`;
}

const failed = (id: number | string | null, message: unknown) => ({
  jsonrpc: "2.0",
  id,
  error: { code: expect.any(Number), message },
});

describe("mcp, between a client and a service", () => {
  test("carries messages both ways, and introduces itself with its token and place", async () => {
    using host = new Host();
    await using bridge = new Bridge(host.folder, [
      "--guild",
      "100000000000000002",
      "--channel",
      "100000000000000003",
    ]);
    bridge.write('{"jsonrpc":"2.0","id":"é🦊","method":"first"}\n{"jsonrpc":"2.0","method":"note"}\n\n');
    expect(await bridge.read()).toEqual({ jsonrpc: "2.0", id: "é🦊", result: { method: "first" } });
    const [channel] = host.channels;
    channel?.send('{\n  "jsonrpc": "2.0",\r\n  "method": "said"\n}');
    expect(await bridge.read()).toEqual({ jsonrpc: "2.0", method: "said" });
    bridge.end();
    expect(await bridge.exited).toBe(0);
    await host.closed;
    expect(await bridge.read()).toBe("the end");
    expect(await bridge.err).toBe("");
    expect(host.seen).toEqual([
      '{"jsonrpc":"2.0","id":"é🦊","method":"first"}',
      '{"jsonrpc":"2.0","method":"note"}',
    ]);
    expect(host.introduced).toEqual([
      {
        kind: "token",
        authorization: `Bearer ${token}`,
        guildId: "100000000000000002",
        channelId: "100000000000000003",
      },
    ]);
  });

  test("acts as the operator only when told so, for the person that is named", async () => {
    using host = new Host();
    await using bridge = new Bridge(host.folder, ["--operator", "--user", ana]);
    bridge.ask(1, "first");
    await bridge.read();
    expect(host.introduced).toEqual([{ kind: "operator", userId: ana, guildId: null, channelId: null }]);
  });

  test("leaves what is no JSON to the service, and refuses only what is too long or no UTF-8", async () => {
    using host = new Host();
    await using bridge = new Bridge(host.folder);
    bridge.write("{broken\n");
    expect(await bridge.read()).toEqual(failed(null, "Parse error"));
    bridge.write(`{"id":1,"method":"${"x".repeat(5 * 1024 * 1024)}"}\n`);
    expect(await bridge.read()).toEqual(failed(null, expect.stringContaining("4194304 bytes")));
    bridge.write(new Uint8Array([0x7b, 0xff, 0x0a]));
    expect(await bridge.read()).toEqual(failed(null, expect.stringContaining("UTF-8")));
    const long = "y".repeat(3 * 1024 * 1024);
    bridge.ask(2, long);
    expect(await bridge.read()).toEqual({ jsonrpc: "2.0", id: 2, result: { method: long } });
    expect(host.seen).toHaveLength(2);
  });

  test("answers a pipe that ends before its answers are there", async () => {
    using host = new Host();
    await using bridge = new Bridge(host.folder);
    bridge.ask(1, "first");
    bridge.ask(2, "second");
    bridge.end();
    expect(await bridge.read()).toMatchObject({ id: 1 });
    expect(await bridge.read()).toMatchObject({ id: 2 });
    expect(await bridge.exited).toBe(0);
  });

  test("waits for a service that is starting, and no longer than its client does", async () => {
    using host = new Host(undefined, undefined, false);
    await using gone = new Bridge(host.folder);
    gone.end();
    expect(await gone.exited).toBe(0);
    await using waiting = new Bridge(host.folder);
    waiting.ask(1, "first");
    host.accept();
    expect(await waiting.read()).toMatchObject({ id: 1 });
    expect(host.introduced).toHaveLength(1);
  });

  test("ends with a client that dies, though it waits for an answer", async () => {
    using host = new Host();
    const parent = Bun.spawn({
      cmd: [
        process.execPath,
        "-e",
        `const child = Bun.spawn({ cmd: ${JSON.stringify([process.execPath, main, "mcp"])}, stdin: "pipe", stdout: "pipe" });
         child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"never"}\\n');
         child.stdin.flush();
         console.log(child.pid);
         setInterval(() => {}, 1000);`,
      ],
      cwd: root,
      env: {
        PATH: process.env.PATH ?? "",
        DATABASE_URL: join(host.folder, "test.db"),
        DISCORD_MCP_TOKEN: token,
      },
      stdout: "pipe",
    });
    const pid = Number((await linesOf(parent.stdout).next()).value);
    await host.until("never");
    parent.kill("SIGKILL");
    await host.closed;
    while (isAlive(pid)) await new Promise(setImmediate);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s ends it in order", async (signal) => {
    using host = new Host();
    await using bridge = new Bridge(host.folder);
    bridge.ask(1, "first");
    await bridge.read();
    bridge.kill(signal);
    expect(await bridge.exited).toBe(0);
    await host.closed;
  });

  test("tells what waits, and the person, when the service stops", async () => {
    using host = new Host();
    await using bridge = new Bridge(host.folder);
    bridge.ask("a", "never");
    bridge.ask("b", "first");
    bridge.ask("c", "never");
    bridge.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"c"}}\n');
    expect(await bridge.read()).toMatchObject({ id: "b" });
    await host.until("cancelled");
    host.stop();
    expect(await bridge.read()).toEqual(failed("a", expect.stringContaining("has stopped")));
    expect(await bridge.read()).toBe("the end");
    expect(await bridge.exited).toBe(0);
    expect(await bridge.err).toContain("has stopped");
  });

  test("tells that the connection is lost when the service is killed", async () => {
    const folder = join(root, crypto.randomUUID());
    const service = Bun.spawn({
      cmd: [process.execPath, join(import.meta.dir, "mcp-service-child.ts"), folder],
      stdout: "pipe",
    });
    await linesOf(service.stdout).next();
    await using bridge = new Bridge(folder);
    bridge.ask(1, "never");
    bridge.ask(2, "first");
    expect(await bridge.read()).toMatchObject({ id: 2 });
    service.kill("SIGKILL");
    expect(await bridge.read()).toEqual(failed(1, expect.stringContaining("was lost")));
    expect(await bridge.exited).toBe(69);
  });

  test("who is turned away is told why, in the answer to the first request", async () => {
    const sentence = `This API token was revoked; ${"ask an operator for a new one. ".repeat(20)}`;
    using host = new Host(async () => {
      throw new AppError("unauthorized", sentence);
    });
    await using bridge = new Bridge(host.folder);
    bridge.ask(1, "initialize");
    expect(await bridge.read()).toEqual(failed(1, sentence));
    expect(await bridge.exited).toBe(1);
    expect(await bridge.err).toBe(`discord-mcp: ${sentence}\n`);
  });

  test("a client that asks for the revision first is told so in the handshake that follows", async () => {
    using host = new Host(async () => {
      throw new AppError("unauthorized", "This API token was revoked.");
    });
    await using bridge = new Bridge(host.folder);
    bridge.ask(0, "server/discover");
    expect(await bridge.read()).toEqual(failed(0, "This API token was revoked."));
    bridge.ask(1, "initialize");
    expect(await bridge.read()).toEqual(failed(1, "This API token was revoked."));
    expect(await bridge.read()).toBe("the end");
    expect(await bridge.exited).toBe(1);
  });

  test("a client that reads nothing is given up", async () => {
    using host = new Host();
    await using bridge = new Bridge(host.folder);
    bridge.ask(1, "first");
    await bridge.read();
    const text = JSON.stringify({ jsonrpc: "2.0", method: "z".repeat(1024 * 1024) });
    for (let count = 0; count < 40; count++) {
      host.channels[0]?.send(text);
      await new Promise(setImmediate);
    }
    await host.closed;
    expect(await bridge.exited).toBe(1);
  });

  test("reaches a data folder whose name an address cannot hold", async () => {
    using host = new Host(undefined, "Application Support %20:ü");
    await using bridge = new Bridge(host.folder);
    bridge.ask(1, "first");
    expect(await bridge.read()).toMatchObject({ id: 1 });
  });

  test("with --folder the configuration is that folder's alone", async () => {
    using host = new Host();
    await writeFile(join(host.folder, ".env"), "DATABASE_URL=file:./test.db\n");
    await using bridge = new Bridge(host.folder, ["--folder", host.folder], {
      DISCORD_MCP_TOKEN: token,
      DATABASE_URL: "postgres://somebody.else",
      LOG_LEVEL: "nonsense",
    });
    bridge.ask(1, "first");
    expect(await bridge.read()).toMatchObject({ id: 1 });
    const elsewhere = ["--folder", root, "--database", join(host.folder, "test.db")];
    await using other = new Bridge(host.folder, elsewhere);
    other.ask(1, "first");
    expect(await other.read()).toMatchObject({ id: 1 });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("mcp, as a command line", () => {
  test.each([
    [[], {}, "DISCORD_MCP_TOKEN"],
    [[], { DISCORD_MCP_TOKEN: "two words" }, "DISCORD_MCP_TOKEN"],
    [["--operator"], {}, "--user"],
    [["--user", ana], { DISCORD_MCP_TOKEN: token }, "--operator"],
    [["--operator", "--user", "ana"], {}, "--user"],
    [["--guild", "x"], { DISCORD_MCP_TOKEN: token }, "--guild"],
    [["--gild", "x"], { DISCORD_MCP_TOKEN: token }, "--gild"],
  ])("%j with %j is a mistake of use", async (args, env, said) => {
    const { code, out, err } = await command(["mcp", ...args], env);
    expect({ code, out }).toEqual({ code: 64, out: "" });
    expect(err).toContain(said);
  });
});
