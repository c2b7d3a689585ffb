import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { AppError } from "../../src/errors.ts";
import { fromChannel } from "../../src/tools/sources.ts";
import { startWorld, type World } from "../http/world.ts";
import { channel, ids, reading } from "../tools/harness.ts";
import { connect, type Kind, type TestClient, type Way } from "./clients.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  world.reach.refusal = null;
  world.tools.sources = [];
  world.script.tool = null;
  world.script.answer = (message) => `You said: ${message}`;
  world.tools.facts.everyone = reading | PermissionFlagsBits.ManageChannels;
});

const noSuchChannel = () => new AppError("not_found", "There is no such channel that can be seen from here.");

const keyMeta = "discord-mcp/idempotency_key";
const secretOf = async () => (await world.token({ userId: ids.ana })).secret;
const doors: [Way, Kind][] = [
  ["HTTP", "2026-07-28"],
  ["HTTP", "2025-11-25"],
  ["WebSocket", "2026-07-28"],
  ["WebSocket", "2025-11-25"],
];

// biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked into field by field
type Wire = any;
const call = (client: TestClient, name: string, given: object, key: unknown, options = {}): Promise<Wire> =>
  client.raw.callTool({ name, arguments: { ...given }, _meta: { [keyMeta]: key } }, options);
const codeOf = (result: Wire) => result._meta?.["discord-mcp/error"]?.code;

/** How often the model has been asked something. */
const askedOf = (words: string) =>
  world.claude.requests.filter(({ rawBody }) => rawBody.includes(words)).length;

describe.each(doors)("over %s, %s", (way, kind) => {
  const open = async (token: string, elicit?: () => "accept" | "decline") =>
    connect(world, way, kind, { token, ...(elicit === undefined ? {} : { elicit }) });

  describe("a question that is named", () => {
    test("is asked once, however often it is sent", async () => {
      const token = await secretOf();
      const words = `how deep is the harbour ${way} ${kind}`;
      await using client = await open(token);
      const first = await call(client, "ask", { message: words }, "q1");
      // As a client does that has lost its connection and the answer with it.
      await using again = await open(token);
      const second = await call(again, "ask", { message: words }, "q1");
      expect(second.structuredContent).toEqual(first.structuredContent);
      expect(first.structuredContent.answer).toBe(`You said: ${words}`);
      expect(askedOf(words)).toBe(1);
      const third = await call(client, "ask", { message: words }, "q2");
      expect(third.structuredContent.turn_id).not.toBe(first.structuredContent.turn_id);
    });

    test("is not another one of the same name", async () => {
      await using client = await open(await secretOf());
      await call(client, "ask", { message: "one" }, "same");
      expect(codeOf(await call(client, "ask", { message: "two" }, "same"))).toBe("idempotency_conflict");
      // Somebody else's names are theirs.
      await using other = await open(await secretOf());
      expect((await call(other, "ask", { message: "two" }, "same")).isError).toBeFalsy();
    });

    test("goes on when its client gives up, for when they come back", async () => {
      const token = await secretOf();
      const [begun, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
      world.script.answer = () => {
        begun.resolve();
        return answer.promise;
      };
      await using client = await open(token);
      const controller = new AbortController();
      const lost = call(client, "ask", { message: "wait for it" }, "q", { signal: controller.signal });
      await begun.promise;
      controller.abort(new Error("gone"));
      await lost.catch(() => {});
      answer.resolve("Here I am.");
      await using again = await open(token);
      const found = await call(again, "ask", { message: "wait for it" }, "q");
      expect(found.structuredContent.answer).toBe("Here I am.");
    });

    test.each([[""], [7], ["x".repeat(129)]])("by what is no name is refused: %p", async (key) => {
      await using client = await open(await secretOf());
      const result = await call(client, "ask", { message: "hello" }, key);
      expect([result.isError, codeOf(result)]).toEqual([true, "invalid_data"]);
      expect(result.content[0].text).toContain(keyMeta);
    });
  });

  test("a question without a name stops when its client gives up", async () => {
    const begun = Promise.withResolvers<void>();
    world.script.answer = () => {
      begun.resolve();
      return new Promise(() => {});
    };
    await using client = await open(await secretOf());
    const controller = new AbortController();
    const lost = client.raw
      .callTool({ name: "ask", arguments: { message: "for ever" } }, { signal: controller.signal })
      .catch(() => null);
    await begun.promise;
    controller.abort(new Error("gone"));
    await lost;
    while (world.turns.stats().running > 0) await new Promise((resolve) => setImmediate(resolve));
    world.script.answer = (message) => `You said: ${message}`;
    expect((await client.call("ask", { message: "and now?" })).text).toBe("You said: and now?");
  });

  test("an answer is not given to who has lost the place, or what it rests on, while it was made", async () => {
    const { facts } = world.tools;
    const hidden = channel(ids.hidden, { name: "hidden" });
    const losing: readonly (readonly [code: string, lose: () => unknown, sources: readonly string[]])[] = [
      ["not_found", () => (world.reach.refusal = noSuchChannel()), []],
      ["permission_denied", () => facts.channelFacts.delete(ids.hidden), [fromChannel(ids.hidden)]],
    ];
    for (const [code, lose, sources] of losing) {
      facts.channelFacts.set(ids.hidden, hidden);
      world.tools.sources = sources;
      world.script.tool = () => ({ name: "echo", input: {} });
      world.script.answer = () => {
        lose();
        return "The keys are under the mat.";
      };
      await using client = await open(await secretOf());
      const { isError, text, meta } = await client.call("ask", { message: "where are the keys?" });
      expect([isError, meta.code]).toEqual([true, code]);
      expect(text).not.toContain("mat");
      world.reach.refusal = null;
    }
  });

  test("whoever names a channel and no server speaks from a direct channel of theirs, or not at all", async () => {
    const token = await secretOf();
    await using client = await connect(world, way, kind, { token, query: `channel_id=${ids.hidden}` });
    world.reach.asked.length = 0;
    world.reach.refusal = noSuchChannel();
    const before = world.claude.requests.length;
    for (const [name, given] of [
      ["ask", { message: "what is said there?" }],
      ["echo", {}],
    ] as const)
      expect((await client.call(name, given)).meta.code).toBe("not_found");
    const who = { kind: "user", userId: ids.ana, guildId: null, channelId: ids.hidden } as const;
    expect(world.reach.asked).toEqual([who, who]);
    expect(world.claude.requests.length).toBe(before);
    // Who names neither is anywhere: there is nothing to be asked.
    await using nowhere = await connect(world, way, kind, { token, query: "" });
    expect((await nowhere.call("ask", { message: "hello" })).text).toBe("You said: hello");
  });

  describe("a change that is named", () => {
    test("is made once, and asked about once", async () => {
      let asked = 0;
      const token = await secretOf();
      await using client = await open(token, () => {
        asked++;
        return "accept";
      });
      const before = world.tools.closed;
      const first = await call(client, "close", {}, "c1");
      const second = await call(client, "close", {}, "c1");
      expect(first.structuredContent.result).toEqual({ closed: ids.general });
      expect(second.structuredContent).toEqual(first.structuredContent);
      expect([asked, world.tools.closed - before]).toEqual([1, 1]);
      await call(client, "close", {}, "c2");
      expect([asked, world.tools.closed - before]).toEqual([2, 2]);
    });

    test("is not another one of the same name", async () => {
      await using client = await open(await secretOf(), () => "accept");
      await call(client, "close", {}, "c");
      const other = await call(client, "close", { channel_id: ids.general }, "c");
      expect(codeOf(other)).toBe("idempotency_conflict");
    });

    test("that was refused may be tried again", async () => {
      const said: ("accept" | "decline")[] = ["decline", "accept"];
      await using client = await open(await secretOf(), () => said.shift() ?? "decline");
      expect(codeOf(await call(client, "close", {}, "c"))).toBe("permission_denied");
      expect((await call(client, "close", {}, "c")).isError).toBeFalsy();
    });
  });
});
