import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ConfigError, readConfig } from "../../src/config.ts";
import { createForwarded } from "../../src/http/forwarded.ts";
import { startWorld, type World } from "./world.ts";

const behind = (peer: string | null, trusted: readonly string[], headers: Record<string, string>) => {
  const forwarded = createForwarded(trusted, () => peer);
  const request = new Request("http://localhost/", { headers });
  return { address: forwarded.addressOf(request), scheme: forwarded.schemeOf(request) };
};
const addressOf = (peer: string, trusted: readonly string[], header: string) =>
  behind(peer, trusted, { "x-forwarded-for": header }).address;

describe("the address that a request comes from", () => {
  test("is the connection's own, whatever the headers say, where no proxy is trusted", () => {
    const headers = {
      "x-forwarded-for": "198.51.100.1",
      forwarded: "for=198.51.100.1;proto=https",
      "x-real-ip": "198.51.100.1",
      "x-forwarded-proto": "https",
    };
    expect(behind("192.0.2.1", [], headers)).toEqual({ address: "192.0.2.1", scheme: "http:" });
    expect(behind("192.0.2.1", ["192.0.2.2"], headers)).toEqual({ address: "192.0.2.1", scheme: "http:" });
    expect(behind(null, ["192.0.2.2"], headers)).toEqual({ address: "unknown", scheme: "http:" });
  });

  test("is the one that the trusted proxy has seen, not what its client made up", () => {
    const proxies = ["10.0.0.0/8", "2001:db8:1::/48"];
    expect(addressOf("10.0.0.1", proxies, "198.51.100.1")).toBe("198.51.100.1");
    expect(addressOf("10.0.0.1", proxies, "1.1.1.1, 2.2.2.2, 198.51.100.1")).toBe("198.51.100.1");
    expect(addressOf("10.0.0.1", proxies, "1.1.1.1, 198.51.100.1, 10.9.9.9")).toBe("198.51.100.1");
    expect(addressOf("2001:db8:1::5", proxies, "2001:db8:2::7")).toBe("2001:db8:2::7");
    // A socket that serves both families tells of IPv4 so.
    expect(addressOf("::ffff:10.0.0.1", proxies, "198.51.100.1:4711")).toBe("198.51.100.1");
    expect(addressOf("10.0.0.1", proxies, "[2001:db8:2::7]:443")).toBe("2001:db8:2::7");
  });

  test("is the last that is certain where a header says nothing that can be read", () => {
    const proxies = ["10.0.0.0/8"];
    for (const header of [
      "",
      "unknown",
      "198.51.100.1, _hidden",
      "198.51.100.1, 999.1.1.1",
      "a".repeat(3000),
    ])
      expect([header.slice(0, 30), addressOf("10.0.0.1", proxies, header)]).toEqual([
        header.slice(0, 30),
        "10.0.0.1",
      ]);
    expect(addressOf("10.0.0.1", proxies, "evil, 10.0.0.2")).toBe("10.0.0.2");
    const many = ["198.51.100.1", ...Array<string>(40).fill("10.0.0.3")].join(",");
    expect(addressOf("10.0.0.1", proxies, many)).toBe("10.0.0.3");
  });

  test("the scheme is what the nearest proxy says", () => {
    const scheme = (proto: string) => behind("10.0.0.1", ["10.0.0.1"], { "x-forwarded-proto": proto }).scheme;
    expect(["https", "http, https", "https, http", "gopher"].map(scheme)).toEqual([
      "https:",
      "https:",
      "http:",
      "http:",
    ]);
  });

  test.each([
    "all",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/33",
    "10.0.0.0/8/8",
    "proxy.example",
    "fe80::1%eth0",
    "1.1/8",
  ])("%s is no proxy to trust", (text) => {
    expect(() => readConfig({ TRUST_PROXY: text })).toThrow(ConfigError);
  });
});

describe("limits of an address", () => {
  const rates = { address: { points: 3, seconds: 60 } };
  let direct: World;
  let proxied: World;
  beforeAll(async () => {
    direct = await startWorld({ rates });
    proxied = await startWorld({ rates, config: { trustProxy: ["127.0.0.1"] } });
  });
  afterAll(async () => {
    await direct[Symbol.asyncDispose]();
    await proxied[Symbol.asyncDispose]();
  });
  const statuses = async (world: World, addresses: readonly string[]) => {
    const seen = [];
    for (const address of addresses)
      seen.push(
        (await fetch(`${world.url}/health/live`, { headers: { "x-forwarded-for": address } })).status,
      );
    return seen;
  };

  test("are not got round by claiming another one each time", async () => {
    expect(await statuses(direct, ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"])).toEqual([
      200, 200, 200, 429,
    ]);
  });

  test("are each client's own behind a trusted proxy, whatever stands before what it has added", async () => {
    const one = ["1.1.1.1, 203.0.113.1", "2.2.2.2, 203.0.113.1", "203.0.113.1", "3.3.3.3, 203.0.113.1"];
    expect(await statuses(proxied, one)).toEqual([200, 200, 200, 429]);
    expect(await statuses(proxied, ["203.0.113.2"])).toEqual([200]);
  });
});
