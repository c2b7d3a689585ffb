import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Scope } from "../../src/auth/ports.ts";
import { askService } from "../../src/control/control.ts";
import { twoServers } from "../../src/simulator/discord/world-seed.ts";
import { Service } from "../e2e/service.ts";
import { channels, guildId, users } from "../e2e/surroundings.ts";

/** The whole service with all tools, before a Discord with two servers: Ana is in Harbour, Ben in both. */
export const startHarbour = (env: Readonly<Record<string, string>> = {}): Promise<Service> =>
  Service.start({
    env: { TOOLS: "all", RATE_LIMIT_TOKEN: "100000/60", RATE_LIMIT_ADDRESS: "100000/60", ...env },
    discord: { seed: twoServers() },
  });

export interface ComeOptions {
  readonly userId?: string;
  readonly scopes?: readonly Scope[];
  readonly guildIds?: readonly string[] | null;
  /** Of the address; Ana's #general by default. */
  readonly query?: string;
  readonly era?: "2026-07-28" | "2025-11-25";
  /** A bearer to use in place of a new token. */
  readonly bearer?: string;
}

export const here = `guild_id=${guildId}&channel_id=${channels.general}`;

export async function tokenFor(service: Service, { userId, scopes, guildIds }: ComeOptions): Promise<string> {
  const answer = await askService(service.config.dataDir, "token_create", {
    name: "test",
    user_id: userId ?? users.ana,
    scopes: scopes ?? ["sessions", "turns", "tools", "approve"],
    guild_ids: guildIds ?? null,
    expires_at: null,
  });
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked into field by field
  const made: any = answer?.result;
  return made.token;
}

/** A client of the official make, over HTTP. */
export async function come(service: Service, options: ComeOptions = {}): Promise<Client & AsyncDisposable> {
  const { era = "2026-07-28", query = here } = options;
  const bearer = options.bearer ?? (await tokenFor(service, options));
  const mode = era === "2026-07-28" ? { pin: era } : ("legacy" as const);
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  const requestInit = { headers: { authorization: `Bearer ${bearer}` } };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${service.url}/mcp?${query}`), { requestInit }),
  );
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

/** What a resource holds. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export async function read(client: Client, uri: string): Promise<any> {
  const { contents } = await client.readResource({ uri });
  const [first] = contents;
  return JSON.parse(first !== undefined && "text" in first ? String(first.text) : "");
}

/** The JSON-RPC error that a request is answered with. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export const refusalOf = (request: Promise<unknown>): Promise<any> =>
  request.then(
    () => null,
    (error: unknown) => error,
  );
