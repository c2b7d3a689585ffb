import { BlockList, isIP } from "node:net";

/** From whom a request comes, and how it was sent, when it passes through proxies. */
export interface Forwarded {
  /** The client's address; "unknown" when the connection is gone already. */
  addressOf(request: Request): string;
  /** `https:` when a trusted proxy says that it was asked so. */
  schemeOf(request: Request): "http:" | "https:";
}

/** More proxies than this stand behind each other nowhere; what is further left in the header is not looked at. */
const maxHops = 16;
const longestHeader = 2048;

/**
 * What proxies say is believed of those in `trusted` (addresses and networks) alone, so that without TRUST_PROXY nobody
 * can choose the address under which they are counted. X-Forwarded-For is read from its right end, where the proxy next
 * to us has written: the first address that is no trusted proxy's is the client's, and what stands left of it was made up
 * by anybody. Forwarded and X-Forwarded-Host are not read: a proxy that sets one of the headers passes the others
 * through as they came. https://www.rfc-editor.org/rfc/rfc7239#section-8.1
 */
export function createForwarded(
  trusted: readonly string[],
  peerOf: (request: Request) => string | null,
): Forwarded {
  const proxies = blockList(trusted);
  const isTrusted = (address: string) => proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

  return {
    addressOf(request) {
      const peer = peerOf(request);
      if (peer === null) return "unknown";
      const header = request.headers.get("x-forwarded-for");
      if (header === null || header.length > longestHeader || !isTrusted(peer)) return peer;
      let nearest = peer;
      for (const part of header.split(",").reverse().slice(0, maxHops)) {
        const address = addressIn(part.trim());
        // A trusted proxy that writes no address has told nothing: the last one that is known counts.
        if (address === null) return nearest;
        nearest = address;
        if (!isTrusted(address)) return address;
      }
      return nearest;
    },
    schemeOf(request) {
      const peer = peerOf(request);
      if (peer === null || !isTrusted(peer)) return "http:";
      const last = request.headers.get("x-forwarded-proto")?.split(",").at(-1)?.trim().toLowerCase();
      return last === "https" ? "https:" : "http:";
    },
  };
}

/** "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80"; null for anything else. */
function addressIn(text: string): string | null {
  const bracketed = /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/i.exec(text)?.[1];
  const withPort = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(text)?.[1];
  const address = bracketed ?? withPort ?? text;
  return isIP(address) === 0 ? null : address;
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
