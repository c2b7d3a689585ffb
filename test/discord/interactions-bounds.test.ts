import { expect, test } from "bun:test";
import { InteractionType } from "discord-api-types/v10";
import { atOnce } from "../../src/actor.ts";
import { Interactions } from "../../src/discord/posts/interactions.ts";
import { createRestClients } from "../../src/discord/rest/client.ts";
import { AppError } from "../../src/errors.ts";
import { startDiscordSimulator } from "../../src/simulator/discord/simulator.ts";

const press = (n: number) => ({
  id: String(1_000 + n),
  application_id: "1",
  type: InteractionType.MessageComponent,
  token: `token-${n}`,
  data: { custom_id: `approve:a_${"x".repeat(22)}` },
  message: { id: "2", channel_id: "3" },
  user: { id: "4" },
});

test("presses beyond what is worked on are told to try again, and beyond twice as many nothing", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  simulator.faults.rest({ path: /callback$/, respond: "hold", times: 1000 });
  const clients = createRestClients(simulator.token, simulator.apiUrl);
  let failures = 0;
  const interactions = new Interactions({
    api: clients.writes,
    turns: {
      decide: (_id, _yes, _by, signal) =>
        new Promise((_, reject) =>
          signal?.addEventListener("abort", () => reject(new AppError("cancelled", "over"))),
        ),
      approval: async () => null,
    },
    verdicts: { hold: () => () => {}, shown: async () => {}, show: async () => {} },
    limits: { user: { take: async () => {} } },
    onBehalf: atOnce,
    onFailure: () => {
      failures += 1;
    },
    deferAfterMs: 1_000_000,
  });
  for (let n = 0; n < 200; n++) interactions.received(press(n));
  expect(await interactions.handle(press(200))).toMatchObject({
    data: { content: expect.stringContaining("Too much is going on") },
  });
  // It has its answer, and then its place is free.
  await new Promise((resolve) => setImmediate(resolve));
  for (let n = 201; n < 401; n++) interactions.received(press(n));
  expect(failures).toBe(0);
  for (let n = 401; n < 411; n++) interactions.received(press(n));
  expect(failures).toBe(10);
  await interactions.close(0);
  clients.dispose();
});
