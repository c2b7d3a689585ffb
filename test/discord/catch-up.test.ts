import { expect, test } from "bun:test";
import { CatchUp } from "../../src/discord/chat/catch-up.ts";
import { ChannelQueues } from "../../src/discord/chat/channel-queues.ts";
import { Marks } from "../../src/discord/chat/marks.ts";
import { createRestClients } from "../../src/discord/rest/client.ts";
import { createRestReader } from "../../src/discord/rest/reader.ts";
import { createFacts } from "../../src/discord/state/facts.ts";
import { GuildState } from "../../src/discord/state/guild-state.ts";
import { startDiscordSimulator } from "../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import { gate } from "./harness.ts";
import { signal } from "./rest/site.ts";

const { guildId, channels } = DEMO;

test("of all that waits for a channel to be read again one dispatch of each session is waited for", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  const clients = createRestClients(simulator.token, simulator.apiUrl);
  const state = new GuildState();
  const reader = createRestReader(clients.reads);
  const queues = new ChannelQueues();
  const store = { get: async () => null, all: async () => [], advance: async () => {} };
  const catchUp = new CatchUp({
    marks: new Marks(store),
    store,
    reader,
    facts: createFacts({
      ...{ state, reader, api: clients.reads },
      isTrusted: () => true,
      hearsMembers: () => true,
      botUserId: async () => DEMO.botId,
    }),
    state,
    signal,
    retryMs: [],
    now: Date.now,
    queue: (channelId, task) => queues.run(channelId, task),
    handle: async () => {},
  });
  const earlier = gate();
  void queues.run(channels.general, () => earlier.opened);

  const first = catchUp.again(channels.general, guildId);
  expect(first).toBeInstanceOf(Promise);
  expect(Array.from({ length: 1000 }, () => catchUp.again(channels.general, guildId))).toEqual(
    Array.from({ length: 1000 }, () => undefined),
  );
  expect(catchUp.again(channels.help, guildId)).toBeInstanceOf(Promise);
  // The sequence of another session knows nothing of the one that is waited for.
  await catchUp.sessionBegan(0, 1);
  expect(catchUp.again(channels.general, guildId)).toBe(first);
  expect(catchUp.again(channels.general, guildId)).toBeUndefined();
  expect(queues.total).toBe(2);

  earlier.open();
  await first;
  expect(catchUp.again(channels.general, guildId)).toBeInstanceOf(Promise);
  await queues.settled();
  expect(queues.total).toBe(0);
  clients.dispose();
});
