import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { bodyOf, connect, initialized } from "../http/client.ts";
import { startWorld, type World } from "../http/world.ts";
import { ids } from "../tools/harness.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => {
  world.reach.refusal = null;
});

const there = { user_id: ids.ana, channel_id: ids.general, guild_id: ids.guild };

const gone = () => new AppError("not_found", "There is no such channel that can be seen from here.");

/** What a session is for, each as a request with what it needs; `approve` is about a question that waits. */
const requests = (approval_id: string) =>
  [
    ["tool_call", { tool_name: "echo" }],
    ["process", { message: "hello" }],
    ["context_update", {}],
    ["approve", { approval_id, approved: true }],
  ] as const;

async function askedAbout(session_id: string): Promise<string> {
  const reply = await bodyOf(await world.post("/mcp/tool_call", { session_id, tool_name: "close" }));
  expect(reply.code).toBe("approval_required");
  return reply.data.approval_id;
}

describe("a person who has lost the place of an open session", () => {
  test("is refused by each request over a socket, and served again when they are back", async () => {
    const client = await connect(world);
    const session_id = await initialized(client, there);
    const all = requests(await askedAbout(session_id));
    const calls = world.tools.calls;
    world.reach.refusal = gone();
    for (const [type, data] of all) {
      const reply = await client.request(type, { session_id, ...data });
      expect([type, reply.type, reply.data.code]).toEqual([type, "error", "not_found"]);
    }
    // It is nothing but theirs to stop.
    expect((await client.request("cancel", { session_id })).type).toBe("response");
    expect(world.tools.calls).toBe(calls);
    world.reach.refusal = null;
    for (const [type, data] of all) {
      const { type: answer } = await client.request(type, { session_id, ...data });
      expect([type, answer]).not.toEqual([type, "error"]);
    }
    await client.close();
  });

  test("is refused by each request over HTTP", async () => {
    const session_id = await initialized(await connect(world), there);
    const all = requests(await askedAbout(session_id));
    world.reach.refusal = gone();
    for (const [type, data] of all.filter(([name]) => name !== "context_update")) {
      const response = await world.post(`/mcp/${type}`, { session_id, ...data });
      expect([type, response.status, (await bodyOf(response)).code]).toEqual([type, 404, "not_found"]);
    }
  });

  test("is not told again what a tool gave them before", async () => {
    const client = await connect(world);
    const session_id = await initialized(client, there);
    const call = () =>
      client.request(
        "tool_call",
        { session_id, tool_name: "echo", arguments: { a: 1 } },
        { metadata: { idempotency_key: "once" } },
      );
    expect((await call()).type).toBe("tool_result");
    world.reach.refusal = gone();
    expect((await call()).data.code).toBe("not_found");
    await client.close();
  });

  test("what cannot be established is refused as such", async () => {
    const client = await connect(world);
    const session_id = await initialized(client, there);
    world.reach.refusal = new AppError("discord_unavailable", "Discord gave no answer.", {
      retryAfterMs: 1000,
    });
    const { data } = await client.request("tool_call", { session_id, tool_name: "echo" });
    expect(data).toMatchObject({ code: "discord_unavailable", retry_after_ms: 1000 });
    await client.close();
  });

  test("each request asks about the session's own place", async () => {
    const client = await connect(world);
    const session_id = await initialized(client, there);
    world.reach.asked.length = 0;
    await client.request("tool_call", { session_id, tool_name: "echo" });
    const actor = { kind: "user", userId: ids.ana, guildId: ids.guild, channelId: ids.general } as const;
    expect(world.reach.asked).toEqual([actor]);
    await client.close();
  });
});

test("what finds tools for the model is not called by a program, as it is not listed", async () => {
  const client = await connect(world);
  const reply = await client.request("initialize", there);
  expect(reply.data.available_tools).not.toContain("find_tools");
  const call = { session_id: reply.data.session_id, tool_name: "find_tools" };
  expect((await client.request("tool_call", call)).data.code).toBe("unknown_tool");
  await client.close();
});
