import { afterAll, beforeAll, expect, test } from "bun:test";
import { ana, bodyOf, connect, initialized } from "./client.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

test("a token that is limited to one server does not come to another's conversation by a wrong guild_id", async () => {
  const session_id = await initialized(await connect(world));
  await world.post("/mcp/process", { session_id, message: "between us" });
  const allowed = "444444444444444444";
  const { secret } = await world.token({ userId: ana.user_id, guildIds: [allowed] });
  const authorization = `Bearer ${secret}`;

  const honest = await world.post("/mcp/initialize", ana, { authorization });
  expect(honest.status).toBe(403);
  const lying = await bodyOf(
    await world.post("/mcp/initialize", { ...ana, guild_id: allowed }, { authorization }),
  );
  expect(lying.context.conversation_history).toEqual([]);
  await world.post("/mcp/process", { session_id: lying.session_id, message: "and now?" }, { authorization });
  expect(JSON.stringify(world.claude.requests.at(-1)?.body)).not.toContain("between us");
});
