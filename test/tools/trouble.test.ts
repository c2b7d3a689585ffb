import { describe, expect, test } from "bun:test";
import { allTools } from "../../src/tools/all.ts";
import { bench } from "./harness.ts";
import { DEMO, startWorld } from "./world.ts";

const { users } = DEMO;

test("every tool is fit to be offered, and its definition has the same bytes each time", () => {
  const actor = { kind: "user", userId: users.ana, guildId: DEMO.guildId, channelId: "1" } as const;
  const definitions = () => JSON.stringify(bench(allTools).registry.definitions(actor, []));
  expect(definitions()).toBe(definitions());
});

describe("when Discord is not well", () => {
  test("without its answer nothing is established, so it is refused", async () => {
    await using world = await startWorld({ tools: allTools });
    world.simulator.faults.rest({ path: /^\/guilds\//, times: 100, respond: 503 });
    expect(await world.call("discord_message_history", {}, { as: users.ana })).toMatchObject({
      kind: "refused",
      code: "discord_unavailable",
      text: expect.stringContaining("could not be established"),
    });
  });

  test("a failure after that is the tool's", async () => {
    await using world = await startWorld({ tools: allTools });
    world.simulator.faults.rest({ path: /\/messages$/, times: 100, respond: 503 });
    expect(await world.call("discord_message_history", {}, { as: users.ana })).toMatchObject({
      kind: "failed",
      code: "discord_unavailable",
    });
  });

  test("what changes something is unknown then, and is not sent again", async () => {
    await using world = await startWorld({ tools: allTools });
    world.simulator.faults.rest({ method: "POST", path: /\/messages$/, times: 100, respond: 502 });
    const outcome = await world.call("discord_message_send", { content: "hello" }, { as: users.ana });
    expect(outcome).toMatchObject({ kind: "unknown", code: "outcome_unknown" });
    const posts = world.simulator.requests.filter(
      ({ method, path }) => method === "POST" && path.endsWith("/messages"),
    );
    expect(posts).toHaveLength(1);
  });

  test("with a revoked token it says what to do", async () => {
    await using world = await startWorld({ tools: allTools });
    world.simulator.faults.revokeToken();
    const outcome = await world.call("discord_server_stats", {}, { as: users.ana });
    expect(outcome).toMatchObject({ kind: "refused", code: "discord_unavailable" });
    expect(outcome.text).toContain("DISCORD_TOKEN");
  });
});
