import { BlockList, isIP } from "node:net";
import { AppError } from "../errors.ts";

/**
 * An address that may be fetched, as far as can be told without looking its host up: https, its own port, a host with a
 * name. Throws AppError `invalid_arguments`.
 */
export function readPublicUrl(text: string): URL {
  const url = URL.parse(text);
  const problem =
    url === null || url.protocol !== "https:"
      ? "it is no https address"
      : url.username !== "" || url.password !== ""
        ? "it holds a user name or password"
        : url.port !== ""
          ? "it names a port"
          : isNamed(url.hostname)
            ? null
            : "its host is no public one";
  if (url === null || problem !== null) throw unfit(text, problem ?? "it is no https address");
  url.hash = "";
  return url;
}

const isNamed = (host: string): boolean =>
  host.replace(/\.$/, "").includes(".") && !host.startsWith("[") && isIP(host) === 0;

/** What is wrong with an address, or with what it gives. Of the address itself only the host is repeated. */
export function unfit(address: URL | string, problem: string, cause?: unknown): AppError {
  const shown = typeof address === "string" ? "The address" : `The file at ${address.host}`;
  return new AppError("invalid_arguments", `${shown} cannot be fetched: ${problem}.`, { cause });
}

const ipv4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];
/** Within 2000::/3, outside of which nothing is global unicast. What carries an IPv4 address inside is among them. */
const ipv6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];
const special = new BlockList();
for (const [network, bits] of ipv4) special.addSubnet(network, bits, "ipv4");
for (const [network, bits] of ipv6) special.addSubnet(network, bits, "ipv6");
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");

/**
 * Whether an address is anybody's on the Internet: no private, loopback, link-local, shared, multicast, documentation or
 * reserved one, in no way of writing it.
 * https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !special.check(address, "ipv4");
  if (isIP(address) !== 6 || address.includes("%")) return false;
  return globalUnicast.check(address, "ipv6") && !special.check(address, "ipv6");
}
