import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { AppError } from "../errors.ts";
import { isPublic, readPublicUrl, unfit } from "./public-address.ts";
import { readAtMost } from "./read-at-most.ts";

export interface Fetched {
  readonly bytes: Uint8Array;
  /** The media type alone, in small letters: `image/png`. */
  readonly type: string;
}

export interface FetchOptions {
  /** Of the body, as it comes: what a server says of its length counts for nothing. */
  readonly maxBytes: number;
  readonly isWelcome: (type: string) => boolean;
  readonly signal: AbortSignal;
}

/** What people and models have fetched: from public hosts, by HTTPS, and never with anything of ours. */
export interface Outbound {
  /** Throws AppError `invalid_arguments`, saying what is wrong with the address or what it gave, or `rate_limited`. */
  fetch(address: string, options: FetchOptions): Promise<Fetched>;
}

export interface OutboundOptions {
  /** The addresses of a host; rejects when there are none. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** For tests, whose servers are on loopback. The service never gives it. */
  readonly loopback?: { readonly port: number; readonly ca: string; readonly isPublic: typeof isPublic };
  /** For a whole fetch, redirects included. */
  readonly timeoutMs?: number;
  /** Fetches under way at once, each of which holds a body in memory. */
  readonly atOnce?: number;
}

const maxRedirects = 3;
const maxAddresses = 3;
const redirects = [301, 302, 303, 307, 308];

export function createOutbound(options: OutboundOptions = {}): Outbound {
  const { resolve = resolveByName, timeoutMs = 10_000, atOnce = 8, loopback } = options;
  let underWay = 0;

  async function follow(address: string, wanted: FetchOptions): Promise<Fetched> {
    let url = readPublicUrl(address);
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const response = await connect(url, wanted.signal);
      if (!redirects.includes(response.status)) return await read(response, url, wanted);
      void response.body?.cancel();
      const location = response.headers.get("location") ?? "";
      if (!URL.canParse(location, url.href)) throw unfit(url, "it leads to nowhere that can be read");
      url = readPublicUrl(new URL(location, url).href);
    }
    throw unfit(url, `it leads on more than ${maxRedirects} times`);
  }

  /** To an address that was looked at, not to a name that may lead to another one by then. */
  async function connect(url: URL, signal: AbortSignal): Promise<Response> {
    let cause: unknown;
    for (const address of await addressesOf(url)) {
      signal.throwIfAborted();
      try {
        return await connectTo(address, url, signal);
      } catch (error) {
        cause = error;
      }
    }
    signal.throwIfAborted();
    throw unfit(url, "its server gives no answer", cause);
  }

  /** None unless all are public: a host with one private address is no public host. */
  async function addressesOf(url: URL): Promise<readonly string[]> {
    const found = await resolve(url.hostname).catch(() => []);
    const isFine = loopback?.isPublic ?? isPublic;
    // One sentence for both, so that names inside a network cannot be told from names that do not exist.
    if (found.length === 0 || !found.every(isFine)) throw unfit(url, "its host is no public one");
    return found.slice(0, maxAddresses);
  }

  function connectTo(address: string, url: URL, signal: AbortSignal): Promise<Response> {
    const target = new URL(url);
    target.hostname = isIP(address) === 6 ? `[${address}]` : address;
    if (loopback !== undefined) target.port = String(loopback.port);
    return fetch(target, {
      headers: { host: url.host, accept: "*/*", "accept-encoding": "identity", "user-agent": "discord-mcp" },
      // The certificate is held against the name, though the connection goes to the number.
      tls: { serverName: url.hostname, ...(loopback === undefined ? {} : { ca: loopback.ca }) },
      redirect: "manual",
      credentials: "omit",
      decompress: false,
      keepalive: false,
      signal,
    });
  }

  return {
    async fetch(address, wanted) {
      if (underWay >= atOnce)
        throw new AppError("rate_limited", "Too many files are being fetched; try again in a moment.", {
          retryAfterMs: 5000,
        });
      underWay++;
      const tooLong = AbortSignal.timeout(timeoutMs);
      try {
        return await follow(address, { ...wanted, signal: AbortSignal.any([wanted.signal, tooLong]) });
      } catch (error) {
        wanted.signal.throwIfAborted();
        if (error instanceof AppError || !tooLong.aborted) throw error;
        throw unfit(readPublicUrl(address), `it took longer than ${timeoutMs / 1000} seconds`, error);
      } finally {
        underWay--;
      }
    },
  };
}

async function resolveByName(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function read(response: Response, url: URL, wanted: FetchOptions): Promise<Fetched> {
  const type = (response.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const encoding = response.headers.get("content-encoding") ?? "identity";
  const problem =
    response.status !== 200
      ? `it was answered with status ${response.status}`
      : encoding !== "identity"
        ? "it came compressed, which was not asked for"
        : wanted.isWelcome(type)
          ? null
          : `it is of the type ${type.slice(0, 60) || "unknown"}, which is not taken`;
  if (problem !== null) {
    void response.body?.cancel();
    throw unfit(url, problem);
  }
  const { bytes, isWhole } = await readAtMost(response, wanted.maxBytes);
  if (isWhole) return { bytes, type };
  throw unfit(url, `it has more than ${Math.floor(wanted.maxBytes / 1024)} KiB`);
}
