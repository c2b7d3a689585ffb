import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { isIP } from "node:net";
import { AppError } from "../../src/errors.ts";
import { createOutbound, type OutboundOptions } from "../../src/outbound/outbound.ts";
import { isPublic, readPublicUrl } from "../../src/outbound/public-address.ts";
import { certificate, privateKey } from "../fixtures/tls.ts";

const publicAddress = "93.184.215.14";
/** What each path of the server answers; `hits` counts requests, which show that it was reached. */
const answers: Record<string, (request: Request) => Response | Promise<Response>> = {
  "/file.txt": () => new Response("hello", { headers: { "content-type": "text/plain; charset=utf-8" } }),
  "/page": () => new Response("<p>", { headers: { "content-type": "text/html" } }),
  "/none": () => new Response("no", { status: 404 }),
  "/endless": () => new Response(endless(), { headers: { "content-type": "text/plain" } }),
  "/liar": () =>
    new Response(endless(), { headers: { "content-type": "text/plain", "content-length": "5" } }),
  "/slow": () =>
    new Response(new ReadableStream({ pull: () => new Promise(() => {}) }), {
      headers: { "content-type": "text/plain" },
    }),
  "/packed": () =>
    new Response(Bun.gzipSync(new Uint8Array(1_000_000)), {
      headers: { "content-type": "text/plain", "content-encoding": "gzip" },
    }),
  "/echo": (request) => Response.json([...request.headers]),
};
let server: Bun.Server<undefined>;
let hits: string[] = [];

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    tls: { cert: certificate, key: privateKey },
    fetch(request) {
      const { host, pathname, searchParams } = new URL(request.url);
      hits.push(`${host}${pathname}`);
      const to = searchParams.get("to");
      if (to !== null)
        return new Response("moved", {
          status: Number(searchParams.get("status") ?? 302),
          headers: { location: to },
        });
      return answers[pathname]?.(request) ?? new Response("no", { status: 404 });
    },
  });
});
afterAll(() => server.stop(true));

function endless(): ReadableStream {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(4096)) });
}

/** Names lead to public addresses, which stand for the server on loopback; the connection is counted there. */
function outbound(options: Partial<OutboundOptions> = {}) {
  const asked: string[] = [];
  const names: Record<string, readonly string[]> = {
    "files.test": ["127.0.0.1"],
    "other.files.test": ["127.0.0.1"],
    "stranger.example": ["127.0.0.1"],
    "inside.files.test": ["10.0.0.1"],
    "metadata.files.test": ["169.254.169.254"],
    "mixed.files.test": ["127.0.0.1", "192.168.0.1"],
    "mapped.files.test": ["::ffff:7f00:1"],
  };
  const out = createOutbound({
    resolve: async (host) => {
      asked.push(host);
      return names[host] ?? Promise.reject(new Error("ENOTFOUND"));
    },
    // The server's own address stands for a public one, and for nothing else.
    loopback: {
      port: server.port ?? 0,
      ca: certificate,
      isPublic: (address) => address === "127.0.0.1" || isPublic(address),
    },
    ...options,
  });
  const get = (address: string, signal = new AbortController().signal) =>
    out.fetch(address, { maxBytes: 10_000, isWelcome: (type) => type !== "text/html", signal });
  return { get, asked };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error("It was fetched."),
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError && error.code === "invalid_arguments") return error.message;
  throw error;
}

describe("an address", () => {
  test("that is public is fetched, by its name and with nothing of ours", async () => {
    const { get } = outbound();
    const { bytes, type } = await get("https://files.test/file.txt#part");
    expect([new TextDecoder().decode(bytes), type]).toEqual(["hello", "text/plain"]);
    const sent = new Map<string, string>(
      JSON.parse(new TextDecoder().decode((await get("https://files.test/echo")).bytes)),
    );
    expect(sent.get("host")).toBe("files.test");
    for (const name of ["cookie", "authorization", "referer", "origin"]) expect(sent.has(name)).toBe(false);
  });

  test.each([
    "http://files.test/file.txt",
    "ftp://files.test/",
    "file:///etc/passwd",
    "data:text/plain,hello",
    "https://user@files.test/",
    "https://user:pass@files.test/",
    "https://files.test:8443/",
    "https://localhost/",
    "https://intranet/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://1.1.1.1/",
    "https://",
    "nonsense",
  ])("%s is refused before anything is looked up", async (address) => {
    const { get, asked } = outbound();
    hits = [];
    expect(await refusal(get(address))).toContain("cannot be fetched");
    expect(() => readPublicUrl(address)).toThrow(AppError);
    expect([asked, hits]).toEqual([[], []]);
  });

  test.each(["inside", "metadata", "mixed", "mapped", "unknown"])(
    "that leads into a network, or nowhere, is refused in the same words (%s)",
    async (name) => {
      const { get } = outbound();
      hits = [];
      const host = `${name}.files.test`;
      expect(await refusal(get(`https://${host}/`))).toBe(
        `The file at ${host} cannot be fetched: its host is no public one.`,
      );
      expect(hits).toEqual([]);
    },
  );

  test("is looked up once, and the connection goes where it led then", async () => {
    let lookups = 0;
    // The second answer, which a rebinding name server gives a moment later, would lead inside.
    const resolve = async () => (lookups++ === 0 ? ["127.0.0.1"] : ["10.0.0.1"]);
    const { get } = outbound({ resolve });
    expect(new TextDecoder().decode((await get("https://files.test/file.txt")).bytes)).toBe("hello");
    expect(lookups).toBe(1);
    expect(await refusal(get("https://files.test/file.txt"))).toContain("no public one");
  });

  test("is held against the certificate by its name", async () => {
    const { get } = outbound();
    hits = [];
    expect(await refusal(get("https://stranger.example/file.txt"))).toContain("gives no answer");
    expect(hits).toEqual([]);
  });

  test("of several is tried until one answers", async () => {
    // Nothing listens on the first.
    const { get } = outbound({
      resolve: async () => ["127.0.0.2", "127.0.0.1"],
      loopback: { port: server.port ?? 0, ca: certificate, isPublic: () => true },
    });
    expect((await get("https://files.test/file.txt")).type).toBe("text/plain");
  });
});

describe("a redirect", () => {
  const via = (to: string, status = 302) =>
    `https://files.test/r?status=${status}&to=${encodeURIComponent(to)}`;

  test.each([301, 302, 303, 307, 308])("of status %d is followed, to another host too", async (status) => {
    const { get, asked } = outbound();
    expect((await get(via("https://other.files.test/file.txt", status))).type).toBe("text/plain");
    expect((await get(via("/file.txt", status))).type).toBe("text/plain");
    expect(asked).toEqual(["files.test", "other.files.test", "files.test", "files.test"]);
  });

  test.each([
    "http://files.test/file.txt",
    "https://127.0.0.1/file.txt",
    "https://localhost/file.txt",
    "https://inside.files.test/",
    "https://metadata.files.test/latest/meta-data",
    "https://files.test:22/",
    "https://user@files.test/file.txt",
    "file:///etc/passwd",
    "https://",
  ])("to %s is not", async (to) => {
    const { get } = outbound();
    hits = [];
    expect(await refusal(get(via(to)))).toContain("cannot be fetched");
    expect(hits).toEqual(["files.test/r"]);
  });

  test("is followed three times and no more", async () => {
    const { get } = outbound();
    const chain = (left: number): string =>
      left === 0 ? "https://files.test/file.txt" : via(chain(left - 1));
    expect((await get(chain(3))).type).toBe("text/plain");
    expect(await refusal(get(chain(4)))).toContain("more than 3 times");
  });
});

describe("what it gives", () => {
  test.each([
    ["/page", "of the type text/html"],
    ["/none", "status 404"],
    ["/endless", "more than 9 KiB"],
    ["/liar", ""],
    ["/packed", "came compressed"],
  ])("%s is refused: %s", async (path, words) => {
    const { get } = outbound();
    if (path === "/liar") {
      // Whatever the client makes of a body that is longer than it says, it is no more than that.
      const size = await get(`https://files.test${path}`).then(
        ({ bytes }) => bytes.length,
        () => 0,
      );
      expect(size).toBeLessThanOrEqual(10_000);
      return;
    }
    expect(await refusal(get(`https://files.test${path}`))).toContain(words);
  });

  test("takes no longer than it may", async () => {
    const { get } = outbound({ timeoutMs: 50 });
    expect(await refusal(get("https://files.test/slow"))).toContain("took longer than");
  });

  test("is given up with its caller's reason", async () => {
    const { get } = outbound();
    const controller = new AbortController();
    const reason = new Error("enough");
    const fetching = get("https://files.test/slow", controller.signal);
    controller.abort(reason);
    await expect(fetching).rejects.toBe(reason);
  });

  test("is fetched so many at once and no more, and gives its place back", async () => {
    const { get } = outbound({ atOnce: 2 });
    const controller = new AbortController();
    const slow = [0, 1].map(() => get("https://files.test/slow", controller.signal));
    await expect(get("https://files.test/file.txt")).rejects.toMatchObject({ code: "rate_limited" });
    controller.abort(new Error("enough"));
    await Promise.allSettled(slow);
    expect((await get("https://files.test/file.txt")).type).toBe("text/plain");
  });
});

describe("addresses", () => {
  test.each([
    ...["0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255"],
    ...["169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1"],
    ...["192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1"],
    ...["239.255.255.255", "240.0.0.1", "255.255.255.255"],
    ...["::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1"],
    ...["100::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001::1"],
    ...["2001:db8::1", "2001:10::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fd00:ec2::254"],
    ...["", "localhost", "8.8.8", "8.8.8.8.8"],
  ])("%s is not public", (address) => {
    expect(isPublic(address)).toBe(false);
  });

  test.each([
    publicAddress,
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
  ])("%s is", (address) => {
    expect(isIP(address)).not.toBe(0);
    expect(isPublic(address)).toBe(true);
  });
});
