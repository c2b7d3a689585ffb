import { describe, expect, test } from "bun:test";
import { ana, bodyOf, connect, initialized } from "./client.ts";
import { startWorld } from "./world.ts";

const ben = { ...ana, user_id: "444444444444444444" };
const inChannel = (n: number) => ({ channel_id: String(700_000_000_000_000_000n + BigInt(n)) });

describe("programs of two tokens", () => {
  test("one that floods the agent keeps the other's one question, of another person or server, waiting for no end", async () => {
    await using world = await startWorld({ env: { TURNS_CONCURRENT: "4" } });
    const gate = Promise.withResolvers<void>();
    const asked: string[] = [];
    world.script.answer = async (message) => {
      asked.push(message);
      if (message.startsWith("flood")) await gate.promise;
      return `You said: ${message}`;
    };
    const loud = await connect(world, { token: (await world.token({})).secret });
    const quiet = await connect(world, { token: (await world.token({})).secret });
    const flood = [];
    for (let n = 0; n < 16; n++) {
      const session_id = await initialized(loud, inChannel(n));
      flood.push(loud.request("process", { session_id, message: `flood ${n}` }));
    }
    const elsewhere = await initialized(quiet, { ...ben, guild_id: null });
    const reply = await quiet.request("process", { session_id: elsewhere, message: "how are you?" });
    expect(reply.data.response).toBe("You said: how are you?");
    // In the same server they take turns, person by person.
    const here = await initialized(quiet, ben);
    const own = quiet.request("process", { session_id: here, message: "and here?" });
    await quiet.request("context_update", { session_id: here });
    gate.resolve();
    expect((await own).data.response).toBe("You said: and here?");
    const replies = await Promise.all(flood);
    expect(replies.map(({ type }) => type)).toEqual(Array(16).fill("response"));
    expect(asked.indexOf("and here?")).toBeLessThan(asked.length - 8);
    await Promise.all([loud.close(), quiet.close()]);
  });
});

describe("requests over HTTP", () => {
  test("that wait are bounded for each token; another's are answered, and the places are given back", async () => {
    await using world = await startWorld();
    const gate = Promise.withResolvers<string>();
    world.script.answer = () => gate.promise;
    const { session_id } = await bodyOf(await world.post("/mcp/initialize", ana));
    const first = world.post("/mcp/process", { session_id, message: "hello" });
    await world.claude.waitForRequest(() => true);
    const call = () => world.post("/mcp/tool_call", { session_id, tool_name: "wait" });
    const flood = Array.from({ length: 140 }, call);
    // Those that are refused are answered while the others wait.
    const refused = await Promise.all((await firstOf(13, flood)).map(bodyOf));
    expect(refused.map(({ code }) => code)).toEqual(Array(13).fill("rate_limited"));
    const other = (await world.token({})).secret;
    const answer = await world.post("/mcp/initialize", ben, { authorization: `Bearer ${other}` });
    expect(answer.status).toBe(200);
    world.tools.gate.resolve();
    gate.resolve("hello");
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(127);
    expect((await first).status).toBe(200);
    expect((await call()).status).toBe(200);
  });
});

/** The first so many that are settled, in that order. */
async function firstOf<Value>(count: number, all: readonly Promise<Value>[]): Promise<readonly Value[]> {
  const settled: Value[] = [];
  await new Promise<void>((resolve) => {
    for (const one of all)
      void one.then((value) => {
        settled.push(value);
        if (settled.length === count) resolve();
      });
  });
  return settled.slice(0, count);
}
