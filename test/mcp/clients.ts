import { join, resolve } from "node:path";
import { Client, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldStdioTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as OldHttpTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CallToolResultSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { createAppChannels } from "../../src/app/control-channels.ts";
import type { Scope } from "../../src/auth/ports.ts";
import { serveControl } from "../../src/control/control.ts";
import { createDoor } from "../../src/http/door.ts";
import { createGuards } from "../../src/http/guards.ts";
import { createMcpEndpoint } from "../../src/http/mcp-endpoint.ts";
import type { World } from "../http/world.ts";
import { ids } from "../tools/harness.ts";

/** The ways in, and the clients that come by them. */
export const ways = ["in process", "HTTP", "WebSocket", "standard input and output"] as const;
export type Way = (typeof ways)[number];
export const kinds = ["2026-07-28", "2025-11-25", "the older client"] as const;
export type Kind = (typeof kinds)[number];

export interface Asked {
  readonly message: string;
}

export interface ConnectOptions {
  /** Null: the operator, as standard input and output alone has it; `user_id` of the query then says for whom. */
  readonly token: string | null;
  /** Of the address; Ana's place by default. */
  readonly query?: string;
  /** What the person says to a question; left out: the client cannot ask. */
  readonly elicit?: (asked: Asked) => "accept" | "decline" | "cancel";
}

export interface Result {
  readonly isError?: boolean | undefined;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked into field by field
  readonly structured: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly meta: any;
}

interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: { readonly message?: string | undefined }) => void;
}

/** What a test does, with whichever client. */
export interface TestClient extends AsyncDisposable {
  readonly version: string;
  readonly instructions: string;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly raw: any;
  call(name: string, given?: object, options?: CallOptions): Promise<Result>;
}

export const here = `guild_id=${ids.guild}&channel_id=${ids.general}`;

export async function connect(
  world: World,
  way: Way,
  kind: Kind,
  options: ConnectOptions,
): Promise<TestClient> {
  const opened = new AsyncDisposableStack();
  const transport = await transportFor(world, way, kind, options, opened);
  const capabilities = options.elicit === undefined ? {} : { elicitation: { form: {} } };
  const info = { name: "test", version: "1" };
  const answer = ({ params }: { params: { message: string } }) => ({
    action: options.elicit?.({ message: params.message }) ?? ("cancel" as const),
    content: {},
  });
  if (kind === "the older client") {
    const client = new OldClient(info, { capabilities });
    if (options.elicit !== undefined)
      client.setRequestHandler(ElicitRequestSchema, async (request) => answer(request));
    // biome-ignore lint/suspicious/noExplicitAny: the transports of both packages have one shape and two types
    await client.connect(transport as any);
    opened.defer(() => client.close());
    return wrapped(client, opened, (params, more) => client.callTool(params, CallToolResultSchema, more));
  }
  const mode = kind === "2026-07-28" ? { pin: kind } : "legacy";
  const client = new Client(info, { capabilities, versionNegotiation: { mode } });
  if (options.elicit !== undefined)
    client.setRequestHandler("elicitation/create", async (request) => answer(request as never));
  await client.connect(transport);
  opened.defer(() => client.close());
  return wrapped(client, opened, (params, more) => client.callTool(params, more));
}

type Call = (
  params: { name: string; arguments: Record<string, unknown> },
  options: CallOptions,
) => Promise<unknown>;

function wrapped(client: Client | OldClient, opened: AsyncDisposableStack, call: Call): TestClient {
  return {
    version: client.getServerVersion()?.version ?? "",
    instructions: client.getInstructions() ?? "",
    raw: client,
    async call(name, given = {}, options = {}) {
      // biome-ignore lint/suspicious/noExplicitAny: as above
      const result = (await call({ name, arguments: { ...given } }, options)) as any;
      const [first] = result.content ?? [];
      return {
        isError: result.isError,
        text: first?.text ?? "",
        structured: result.structuredContent,
        meta: result._meta?.["discord-mcp/error"],
      };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function transportFor(
  world: World,
  way: Way,
  kind: Kind,
  { token, query = here }: ConnectOptions,
  opened: AsyncDisposableStack,
): Promise<Transport> {
  const headers = { authorization: `Bearer ${token ?? ""}` };
  const url = new URL(`${world.url}/mcp?${query}`);
  switch (way) {
    case "HTTP":
      // biome-ignore lint/suspicious/noExplicitAny: as above
      if (kind === "the older client") return new OldHttpTransport(url, { requestInit: { headers } }) as any;
      return new StreamableHTTPClientTransport(url, { requestInit: { headers } });
    case "in process": {
      const door = createDoor(world, () => createGuards([], [], "localhost"));
      const { serve, close } = createMcpEndpoint({
        mcp: world.mcp,
        door,
        addressOf: () => "in process",
        patient: () => {},
      });
      opened.defer(close);
      const fetch = (to: string | URL, init?: RequestInit) => serve(new Request(String(to), init));
      const through = { fetch, requestInit: { headers } };
      // biome-ignore lint/suspicious/noExplicitAny: as above
      if (kind === "the older client") return new OldHttpTransport(url, through) as any;
      return new StreamableHTTPClientTransport(url, through);
    }
    case "WebSocket":
      return new SocketTransport(`${world.socketUrl}/mcp/ws?${query}`, { headers, protocols: ["mcp"] });
    case "standard input and output": {
      const bridge = bridgeTo(world, token, new URLSearchParams(query));
      // biome-ignore lint/suspicious/noExplicitAny: as above
      if (kind === "the older client") return new OldStdioTransport(bridge) as any;
      return new StdioClientTransport(bridge);
    }
    default:
      return way satisfies never;
  }
}

const main = resolve(import.meta.dir, "../../src/main.ts");
const flags = { guild_id: "--guild", channel_id: "--channel", user_id: "--user" } as const;

/** The product's own command, as a client starts it; it finds the service by its control socket. */
function bridgeTo({ folder }: World, token: string | null, place: URLSearchParams) {
  const given = Object.entries(flags).flatMap(([name, flag]) => {
    const id = place.get(name);
    return id === null ? [] : [flag, id];
  });
  const operator = token === null ? ["--operator"] : [];
  return {
    command: process.execPath,
    args: [main, "mcp", ...operator, ...given],
    env: {
      PATH: process.env.PATH ?? "",
      DATABASE_URL: join(folder, "test.db"),
      ...(token === null ? {} : { DISCORD_MCP_TOKEN: token }),
    },
    stderr: "ignore" as const,
  };
}

/** The service's end of standard input and output. */
export function openControl(world: World): Disposable {
  const channels = createAppChannels({ ...world, draining: () => false });
  const control = serveControl(world.folder, {}, channels.serve);
  control.acceptChannels();
  return control;
}

export interface Wanted extends Pick<ConnectOptions, "query" | "elicit"> {
  readonly scopes?: readonly Scope[];
}

export interface Pool extends AsyncDisposable {
  /** Ana's client, with a token of those scopes. */
  of(way: Way, kind: Kind, wanted?: Wanted): Promise<TestClient>;
}

const allScopes: readonly Scope[] = ["sessions", "turns", "tools", "approve"];

/** Connections that tests use one after the other: the bridge is a process, and it is the answers that are looked at. */
export function createPool(world: World, userId: string): Pool {
  const opened = new AsyncDisposableStack();
  const connections = new Map<string, Promise<TestClient>>();
  let elicit: ConnectOptions["elicit"];
  async function open(way: Way, kind: Kind, { scopes = allScopes, query, elicit: asks }: Wanted) {
    const { secret } = await world.token({ userId, scopes });
    const client = await connect(world, way, kind, {
      token: secret,
      ...(query === undefined ? {} : { query }),
      ...(asks === undefined ? {} : { elicit: (asked) => elicit?.(asked) ?? "cancel" }),
    });
    return opened.use(client);
  }
  return {
    of(way, kind, wanted = {}) {
      ({ elicit } = wanted);
      const key = JSON.stringify([way, kind, wanted.scopes, wanted.query, elicit !== undefined]);
      const found = connections.get(key) ?? open(way, kind, wanted);
      connections.set(key, found);
      return found;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The protocol over a WebSocket, as a client would write it: the official ones bring none. */
export class SocketTransport implements Transport {
  onmessage?: NonNullable<Transport["onmessage"]>;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly socket: WebSocket;
  readonly #opened = Promise.withResolvers<void>();

  constructor(url: string, options: { headers: Record<string, string>; protocols?: string[] }) {
    this.socket = new WebSocket(url, options);
    this.socket.onopen = () => this.#opened.resolve();
    this.socket.onerror = () => this.#opened.reject(new Error("the socket did not open"));
    this.socket.onmessage = ({ data }) => this.onmessage?.(JSON.parse(String(data)));
    this.socket.onclose = () => this.onclose?.();
  }

  async start(): Promise<void> {
    await this.#opened.promise;
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.socket.send(JSON.stringify(message));
  }

  async close(): Promise<void> {
    this.socket.close();
  }
}
