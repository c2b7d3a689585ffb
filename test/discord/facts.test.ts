import { expect, test } from "bun:test";
import { createRestClients } from "../../src/discord/rest/client.ts";
import { createRestReader } from "../../src/discord/rest/reader.ts";
import { createFacts } from "../../src/discord/state/facts.ts";
import { GuildState } from "../../src/discord/state/guild-state.ts";
import { startDiscordSimulator } from "../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import { failure, signal } from "./rest/site.ts";

test("nothing is kept of servers and members that cannot be read, however many are asked for", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  const clients = createRestClients(simulator.token, simulator.apiUrl);
  const state = new GuildState();
  const facts = createFacts({
    state,
    reader: createRestReader(clients.reads),
    api: clients.reads,
    isTrusted: () => true,
    hearsMembers: () => true,
    botUserId: async () => DEMO.botId,
  });
  for (let n = 0; n < 5; n++) {
    const nobody = `12129121861632${n}9999`;
    expect(await failure(facts.load(nobody, signal))).toMatchObject({ code: "not_found" });
    expect(await failure(facts.member(DEMO.guildId, nobody, signal))).toMatchObject({ code: "not_found" });
  }
  expect(state.sizes).toEqual({ guilds: 0, channels: 0, members: 0, watched: 0 });
  await facts.load(DEMO.guildId, signal);
  await facts.member(DEMO.guildId, DEMO.users.ana, signal);
  expect(state.sizes).toMatchObject({ guilds: 1, members: 1, watched: 0 });
  clients.dispose();
});
