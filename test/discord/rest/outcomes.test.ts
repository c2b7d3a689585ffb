import { describe, expect, test } from "bun:test";
import { createRestClients } from "../../../src/discord/rest/client.ts";
import { createRestWriter } from "../../../src/discord/rest/writer.ts";
import { AppError } from "../../../src/errors.ts";
import type { RestFault } from "../../../src/simulator/discord/rest/faults.ts";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import type { Change, DiscordWriter } from "../../../src/tools/discord-port.ts";
import { failure, plainly, signal, startRestSite } from "./site.ts";

const { channels, users, roles, guildId } = DEMO;

/** One of each method of HTTP, since the client below treats them differently. */
const changes: readonly (readonly [
  RestFault["method"],
  (writer: DiscordWriter, change: Change) => Promise<unknown>,
])[] = [
  ["POST", (writer, change) => writer.createMessage(channels.general, { content: "once" }, change)],
  ["PATCH", (writer, change) => writer.editChannel(channels.general, { topic: "once" }, change)],
  ["PUT", (writer, change) => writer.giveRole(guildId, users.ben, roles.crew, change)],
  ["DELETE", (writer, change) => writer.takeRole(guildId, users.ana, roles.crew, change)],
];

const faults: readonly (readonly [string, Omit<RestFault, "method">])[] = [
  ["a 502", { respond: 502 }],
  ["a 503 after the effect", { respond: 503, afterEffect: true }],
  ["a 408", { respond: 408 }],
  ["a connection cut before an answer", { respond: "reset" }],
  ["a connection cut before an answer, after the effect", { respond: "reset", afterEffect: true }],
  ["half an answer", { respond: "half", afterEffect: true }],
];

for (const [method, run] of changes) {
  describe(`a ${method}`, () => {
    for (const [name, fault] of faults) {
      test(`is sent once and its outcome is unknown after ${name}`, async () => {
        await using site = await startRestSite();
        const { writer, simulator, newRequests } = site;
        // A connection that is kept from an earlier request is where a client may repeat by itself.
        await writer.editMember(guildId, users.ben, { nick: "Warm" }, plainly);
        newRequests();
        simulator.faults.rest({ method: method ?? "POST", times: 5, ...fault });
        const error = await failure(run(writer, plainly));
        expect(error.code).toBe("outcome_unknown");
        expect(error.message).toContain("cannot be told whether it has ");
        expect(newRequests().filter((one) => one.method === method)).toHaveLength(1);
      });
    }

    test("waits for a short rate limit and takes effect once", async () => {
      await using site = await startRestSite();
      const headers = { "retry-after": "0.05" };
      site.simulator.faults.rest({ method: method ?? "POST", respond: 429, headers });
      await run(site.writer, plainly);
      const statuses = site.newRequests().map(({ status }) => status);
      expect(statuses[0]).toBe(429);
      expect(statuses.slice(1).every((status) => status < 300)).toBe(true);
      expect(statuses).toHaveLength(2);
    });

    test("of a long rate limit is told when to come again, and has no effect", async () => {
      await using site = await startRestSite();
      const headers = { "retry-after": "600" };
      site.simulator.faults.rest({ method: method ?? "POST", respond: 429, headers });
      const error = await failure(run(site.writer, plainly));
      expect(error.code).toBe("rate_limited");
      expect(error.retryAfterMs).toBeGreaterThanOrEqual(600_000);
      expect(site.newRequests()).toHaveLength(1);
    });

    test("that is given up while it is under way is unknown", async () => {
      await using site = await startRestSite();
      const held = site.simulator.faults.rest({ method: method ?? "POST", respond: "timeout" });
      const stop = new AbortController();
      const attempt = failure(run(site.writer, { signal: stop.signal }));
      await site.simulator.waitForRequest((one) => one.method === method);
      stop.abort(new AppError("cancelled", "It was stopped."));
      expect((await attempt).code).toBe("outcome_unknown");
      held.release();
    });

    test("that is given up before it leaves never leaves", async () => {
      await using site = await startRestSite();
      const gone = AbortSignal.abort(new AppError("cancelled", "It was stopped."));
      expect((await failure(run(site.writer, { signal: gone }))).code).toBe("cancelled");
      await site.reader.user(users.ana, signal);
      expect(site.newRequests().map((one) => one.path)).toEqual([`/users/${users.ana}`]);
    });
  });
}

test("what is given up while it waits for a rate limit was not done, and is not done later", async () => {
  const routes = { "POST /channels/:channelId/messages": { limit: 2, windowMs: 200 } };
  await using site = await startRestSite({ rateLimits: { global: null, routes } });
  const { writer, simulator } = site;
  const say = (content: string, change = plainly) =>
    writer.createMessage(channels.general, { content }, change);
  // The client learns of the limit by the first, and that it is used up by the second.
  await say("first");
  await say("second");
  const stop = new AbortController();
  const attempt = failure(say("given up", { signal: stop.signal }));
  const next = say("next");
  stop.abort(new AppError("cancelled", "It was stopped."));
  expect((await attempt).code).toBe("cancelled");
  // It stood behind the other in the client's queue: by now that one's turn has come and gone.
  await next;
  const said = simulator.world.messages.in(channels.general).map(({ content }) => content);
  expect(said.slice(-2)).toEqual(["second", "next"]);
});

test("without a connection nothing has left", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const address = `http://127.0.0.1:${server.port}/api`;
  await server.stop(true);
  const clients = createRestClients("token", address);
  const writer = createRestWriter(clients.writes);
  const error = await failure(writer.createMessage(channels.general, { content: "x" }, plainly));
  clients.dispose();
  expect(error.code).toBe("discord_unavailable");
});

test("an answer that refuses but cannot be read is a refusal", async () => {
  await using site = await startRestSite();
  site.simulator.faults.rest({ method: "POST", respond: 403, body: "not an error as Discord words it" });
  const error = await failure(site.writer.createMessage(channels.general, { content: "x" }, plainly));
  expect(error.code).toBe("discord_error");
});

test("opening a direct message is no more than a look-up: its failure leaves nothing unknown", async () => {
  await using site = await startRestSite();
  site.simulator.faults.rest({ method: "POST", respond: 502 });
  expect((await failure(site.writer.openDirectMessage(users.ana, plainly))).code).toBe("discord_unavailable");
  site.simulator.faults.rest({ method: "POST", respond: 429, headers: { "retry-after": "600" } });
  expect((await failure(site.writer.openDirectMessage(users.ana, plainly))).code).toBe("rate_limited");
});

test("a refused token is told each time, not only the first", async () => {
  await using site = await startRestSite();
  site.simulator.faults.revokeToken();
  for (const _ of [1, 2]) {
    const error = await failure(site.writer.createMessage(channels.general, { content: "x" }, plainly));
    expect(error).toMatchObject({ code: "discord_unavailable" });
    expect(error.message).toContain("DISCORD_TOKEN");
  }
});
