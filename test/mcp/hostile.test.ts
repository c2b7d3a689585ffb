import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createAppChannels } from "../../src/app/control-channels.ts";
import { type Control, serveControl } from "../../src/control/control.ts";
import { startWorld, type World } from "../http/world.ts";
import { ids } from "../tools/harness.ts";
import {
  answerOf,
  envelope,
  initialize,
  legacy,
  type Message,
  modern,
  post,
  revision,
  socketWire,
  type Wire,
} from "./raw.ts";

let world: World;
let control: Control;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  control = serveControl(world.folder, {}, createAppChannels({ ...world, draining: () => false }).serve);
  control.acceptChannels();
  ({ secret: token } = await world.token({
    userId: ids.ana,
    scopes: ["sessions", "turns", "tools", "approve"],
  }));
});
afterAll(async () => {
  control[Symbol.dispose]();
  await world[Symbol.asyncDispose]();
});

const query = `guild_id=${ids.guild}&channel_id=${ids.general}`;
const send = (message: Message, headers: Record<string, string | null> = {}) =>
  post(world.url, message, { token, query, headers });
/** Its status, and the code and id of the error that it holds. */
async function refusal(response: Response): Promise<readonly [number, unknown, unknown]> {
  const { error, id, code } = await answerOf(response);
  return [response.status, error?.code ?? code, id];
}

const list = modern(1, "tools/list");
const with_ = (message: Message, changes: object) => ({ ...message, ...changes });
const withMeta = (changes: object) => ({ ...list, params: { _meta: { ...envelope(), ...changes } } });
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const arrays = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;

/** What is no message, whoever sends it: [what, text, code, id of the answer]. */
const noMessages: readonly { what: string; text: string; code: number; id: unknown }[] = (
  [
    ["nothing", "", -32700],
    ["half an object", "{", -32700],
    ["a number", "42", -32600],
    ["null", "null", -32600],
    ["a text", '"tools/list"', -32600],
    ["no JSON-RPC", '{"a":1}', -32600],
    ["JSON-RPC 1.0", '{"jsonrpc":"1.0","id":"x","method":"tools/list"}', -32600, "x"],
    ["no version of JSON-RPC", '{"id":"x","method":"tools/list"}', -32600, "x"],
    ["an empty batch", "[]", -32600],
    ["a batch", JSON.stringify([legacy(1, "tools/list"), legacy(2, "tools/list")]), -32600],
    ["an id that is null", '{"jsonrpc":"2.0","id":null,"method":"tools/list"}', -32600],
    ["an id that is a fraction", '{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}', -32600, 1.5],
    ["an id that is too large", '{"jsonrpc":"2.0","id":1e300,"method":"tools/list"}', -32600, 1e300],
    ["an id that is an object", '{"jsonrpc":"2.0","id":{},"method":"tools/list"}', -32600],
    ["a method that is none", '{"jsonrpc":"2.0","id":"x","method":7}', -32600, "x"],
    ["params that are a list", '{"jsonrpc":"2.0","id":"x","method":"tools/list","params":[]}', -32600, "x"],
    [
      "a _meta that is a text",
      '{"jsonrpc":"2.0","id":"x","method":"tools/list","params":{"_meta":"x"}}',
      -32600,
      "x",
    ],
    [
      "too many levels",
      `{"jsonrpc":"2.0","id":"x","method":"tools/list","params":${nested(70)}}`,
      -32600,
      "x",
    ],
    [
      "a hundred thousand levels",
      `{"jsonrpc":"2.0","id":"x","method":"tools/list","params":{"a":${arrays(100_000)}}}`,
      -32600,
      "x",
    ],
    [
      "a __proto__ of its own",
      '{"jsonrpc":"2.0","id":"x","method":"tools/list","__proto__":{"id":1}}',
      -32600,
      "x",
    ],
  ] as const
).map(([what, text, code, id]) => ({ what, text, code, id }));

describe("what is no message", () => {
  test.each(noMessages)("$what is answered with an error, over HTTP", async ({ text, code, id }) => {
    expect(await refusal(await send(text))).toEqual([400, code, id]);
  });

  describe.each(["WebSocket", "control socket"])("over a %s", (way) => {
    test("each is answered with an error, and the channel goes on", async () => {
      using wire = await (way === "WebSocket" ? webSocket() : controlSocket());
      for (const [n, { text }] of noMessages.entries()) {
        wire.send(text);
        await wire.next(() => wire.received.length > n);
      }
      expect(wire.received.map(({ error, id }) => [error.code, id])).toEqual(
        noMessages.map(({ code, id }) => [code, id]),
      );
      wire.send(modern("after", "tools/list"));
      expect((await wire.next(({ id }) => id === "after")).result.tools.length).toBeGreaterThan(0);
    });
  });

  test("a body above the bound is refused before it is read, and one of Bun's too", async () => {
    const huge = (bytes: number) => JSON.stringify(modern(1, "tools/list", { x: "x".repeat(bytes) }));
    expect((await refusal(await send(huge(1024 * 1024))))[0]).toBe(413);
    expect((await send(huge(17 * 1024 * 1024))).status).toBe(413);
    expect((await send(list)).status).toBe(200);
  });
});

const webSocket = () => socketWire(`${world.socketUrl}/mcp/ws?${query}`, { token, protocols: ["mcp"] });
const controlSocket = () => socketWire(`ws+unix://${world.folder}/control.sock:/mcp?${query}`, { token });

describe("headers", () => {
  const call = (name: string) => modern(1, "tools/call", { name, arguments: {} });
  test.each<[string, Message, Record<string, string | null>, number, number]>([
    ["a version that differs from the body's", list, { "mcp-protocol-version": "2025-11-25" }, 400, -32020],
    ["a version that nobody knows", list, { "mcp-protocol-version": "2099-01-01" }, 400, -32020],
    ["no version", list, { "mcp-protocol-version": null }, 400, -32020],
    ["no method", list, { "mcp-method": null }, 400, -32020],
    ["another method", list, { "mcp-method": "tools/call" }, 400, -32020],
    ["no name", call("echo"), { "mcp-name": null }, 400, -32020],
    ["another name", call("close"), { "mcp-name": "echo" }, 400, -32020],
    [
      "a version of the newer era before a body of the older",
      legacy(1, "tools/list"),
      { "mcp-protocol-version": revision },
      400,
      -32602,
    ],
    [
      "a version of neither era",
      legacy(1, "tools/list"),
      { "mcp-protocol-version": "1999-01-01" },
      400,
      -32000,
    ],
    ["another content type", list, { "content-type": "text/plain" }, 415, -32000],
    ["no content type", list, { "content-type": "" }, 415, -32000],
    [
      "an answer that the older era does not give",
      legacy(1, "tools/list"),
      { accept: "text/html" },
      406,
      -32000,
    ],
  ])("%s is refused", async (_what, message, headers, status, code) => {
    const before = world.tools.calls + world.tools.closed;
    expect((await refusal(await send(message, headers))).slice(0, 2)).toEqual([status, code]);
    expect(world.tools.calls + world.tools.closed).toBe(before);
  });

  test("a charset beside the content type is fine", async () => {
    expect((await send(list, { "content-type": "application/json; charset=utf-8" })).status).toBe(200);
  });
});

describe("the envelope of the newer revision", () => {
  const version = "io.modelcontextprotocol/protocolVersion";
  const capabilities = "io.modelcontextprotocol/clientCapabilities";
  test.each<[string, object, number]>([
    ["a version that nobody knows", { [version]: "2099-01-01" }, -32022],
    ["a version that is a number", { [version]: 5 }, -32602],
    ["no capabilities", { [capabilities]: undefined }, -32602],
    ["capabilities that are a text", { [capabilities]: "all" }, -32602],
  ])("%s is refused, over HTTP and a socket", async (_what, changes, code) => {
    const message = withMeta(changes);
    const named = { ...envelope(), ...changes } as Record<string, unknown>;
    const headers = { "mcp-protocol-version": String(named[version]), "mcp-method": "tools/list" };
    expect((await refusal(await send(message, headers))).slice(0, 2)).toEqual([400, code]);
    using wire = await webSocket();
    wire.send(message);
    expect((await wire.next(({ id }) => id === 1)).error.code).toBe(code);
    // It has pinned nothing: either era can still begin.
    wire.send(initialize());
    expect((await wire.next(({ id }) => id === "init")).result.protocolVersion).toBe("2025-11-25");
  });

  test("an older client may ask for a version that nobody knows, and is offered one", async () => {
    const asked = initialize();
    const { result } = await answerOf(
      await send(with_(asked, { params: { ...asked.params, protocolVersion: "1999-01-01" } })),
    );
    expect(result.protocolVersion).toBe("2025-11-25");
  });

  test("in a channel of the newer revision each request needs it", async () => {
    using wire = await webSocket();
    wire.send(list);
    await wire.next(({ id }) => id === 1);
    wire.send(legacy(2, "tools/list"));
    wire.send(with_(initialize(), { id: 3 }));
    expect((await wire.next(({ id }) => id === 2)).error.code).toBe(-32602);
    expect((await wire.next(({ id }) => id === 3)).error.code).toBe(-32022);
  });
});

describe("what a message asks for", () => {
  test.each<[string, Message, number]>([
    ["an unknown method", modern(1, "tools/burn"), -32601],
    ["an unknown method of the older era", legacy(1, "tools/burn"), -32601],
    ["a method by the name of __proto__", legacy(1, "__proto__"), -32601],
    ["a tool by the name of __proto__", legacy(1, "tools/call", { name: "__proto__" }), -32602],
    ["a tool by the name of constructor", legacy(1, "tools/call", { name: "constructor" }), -32602],
    ["arguments that are a list", legacy(1, "tools/call", { name: "echo", arguments: [1] }), -32602],
    ["arguments that are a text", legacy(1, "tools/call", { name: "echo", arguments: "x" }), -32602],
    ["a cursor that is a number", legacy(1, "tools/list", { cursor: 5 }), -32602],
    ["a cursor that is a number, of the newer era", modern(1, "tools/list", { cursor: 5 }), -32602],
    ["an initialize without a version", legacy(1, "initialize"), -32602],
    ["a cursor that is none", legacy(1, "tools/list", { cursor: "zzz" }), -32602],
    ["an address that is none", legacy(1, "resources/read", { uri: "file:///etc/passwd" }), -32602],
    [
      "an address within an address",
      legacy(1, "resources/read", { uri: "discord://guilds/../me/audit" }),
      -32602,
    ],
  ])("%s is an error under its id", async (_what, message, code) => {
    const { error, id } = await answerOf(await send(message));
    expect([error.code, id]).toEqual([code, 1]);
  });

  test("keys of a prototype are data", async () => {
    const text =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"value":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}}}';
    const { result } = await answerOf(await send(text));
    expect(result.isError).toBeFalsy();
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    const refused = await answerOf(
      await send(
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"__proto__":{"value":1}}}}',
      ),
    );
    expect(JSON.stringify(refused)).not.toContain("polluted");
  });

  test("of keys that are there twice the last one counts, for the headers too", async () => {
    const twice = JSON.stringify(modern(1, "tools/call", { name: "echo", arguments: {} })).replace(
      '"name":"echo"',
      '"name":"echo","name":"close"',
    );
    const headers = { "mcp-protocol-version": revision, "mcp-method": "tools/call", "mcp-name": "echo" };
    expect((await refusal(await send(twice, headers))).slice(0, 2)).toEqual([400, -32020]);
  });

  test("any arguments get one answer, and none that says that the fault is ours", async () => {
    using wire = await webSocket();
    let id = 0;
    const method = fc.constantFrom(
      "tools/call",
      "resources/read",
      "prompts/get",
      "completion/complete",
      "tools/list",
    );
    const params = fc.dictionary(
      fc.constantFrom("name", "arguments", "uri", "ref", "argument", "cursor", "_meta"),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(method, params, async (name, given) => {
        id++;
        const { _meta, ...rest } = given;
        wire.send(modern(id, name, rest));
        const answers = () => wire.received.filter((message) => message.id === id);
        await wire.next((message) => message.id === id);
        expect(answers().length).toBe(1);
        expect(answers()[0].error?.code).not.toBe(-32603);
      }),
      { numRuns: 200 },
    );
  });
});

describe("an id that repeats", () => {
  const begin = async (call: () => void) => {
    world.tools.waiting = Promise.withResolvers();
    world.tools.aborted = Promise.withResolvers();
    call();
    await world.tools.waiting.promise;
  };

  test.each(["WebSocket", "control socket"])("while it is worked on is refused, over a %s", async (way) => {
    using wire: Wire = await (way === "WebSocket" ? webSocket() : controlSocket());
    await begin(() => wire.send(modern(1, "tools/call", { name: "wait", arguments: {} })));
    wire.send(modern(1, "tools/list"));
    expect((await wire.next(({ id }) => id === 1)).error.message).toContain("give each its own");
    // Of another type it is another id.
    wire.send(modern("1", "tools/list"));
    expect((await wire.next(({ id }) => id === "1")).result.tools.length).toBeGreaterThan(0);
    wire.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
    await world.tools.aborted.promise;
  });

  test("is refused over HTTP to an older client, and is nobody else's", async () => {
    const named = async () => {
      const response = await send(initialize());
      await response.text();
      return { "mcp-session-id": response.headers.get("mcp-session-id") ?? "" };
    };
    const [one, other] = [await named(), await named()];
    const wait = legacy(1, "tools/call", { name: "wait", arguments: {} });
    let running: Promise<Response> | undefined;
    await begin(() => {
      running = send(wait, one);
    });
    expect(await refusal(await send(legacy(1, "tools/list"), one))).toEqual([400, "invalid_data", undefined]);
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
    const { secret: stranger } = await world.token({ userId: ids.ben });
    // By another name, of another type, with another token, or by no name: it goes on.
    expect((await send(cancel, other)).status).toBe(202);
    expect((await send({ ...cancel, params: { requestId: "1" } }, one)).status).toBe(202);
    expect((await post(world.url, cancel, { token: stranger, query, headers: one })).status).toBe(202);
    expect((await send(cancel)).status).toBe(202);
    const stillThere = await send(legacy(1, "tools/list"), one);
    expect(stillThere.status).toBe(400);
    expect((await send(cancel, one)).status).toBe(202);
    await world.tools.aborted.promise;
    expect(await (await running)?.text()).toBe("");
    expect((await send(legacy(1, "tools/list"), one)).status).toBe(200);
  });

  test("a name holds nothing: it has no stream, cannot be ended, and needs not be known", async () => {
    const headers = { authorization: `Bearer ${token}`, "mcp-session-id": `c.${"A".repeat(22)}` };
    for (const method of ["GET", "DELETE"])
      expect((await fetch(`${world.url}/mcp?${query}`, { method, headers })).status).toBe(405);
    expect((await send(legacy(1, "tools/list"), headers)).status).toBe(200);
    expect(await refusal(await send(legacy(1, "tools/list"), { "mcp-session-id": "c.short" }))).toEqual([
      404,
      "session_not_found",
      undefined,
    ]);
  });
});
