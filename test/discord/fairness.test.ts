import { expect, test } from "bun:test";
import { chaosWorld, personIds, runs, servers } from "../chaos/world.ts";
import { until } from "../e2e/site.ts";
import { gate, mention, newestText, Rig } from "./harness.ts";

const people = 20;
const crowd = personIds(people);
const [loud, quiet] = servers;
const [someone = ""] = crowd;
const [quietChannel = ""] = quiet.channelIds;
const limits = { RATE_LIMIT_USER: "100000/60", RATE_LIMIT_GUILD: "100000/60" };

/** Where the flood goes: everybody in every channel of one server. */
const places = loud.channelIds.flatMap((channelId) => crowd.map((userId) => ({ channelId, userId })));
const place = (n: number) => places[n % places.length] ?? { channelId: "", userId: "" };

test("two hundred messages of one server: another's one question is answered while they wait, and then all of them", async () => {
  const door = gate();
  const simulator = { seed: chaosWorld(people) };
  await using rig = await Rig.start({
    simulator,
    env: { ...limits, TURNS_CONCURRENT: "4" },
    answer: async (request) => {
      const text = newestText(request).split("\n").at(-1) ?? "";
      if (text.startsWith("flood")) await door.opened;
      return `You said: ${text}`;
    },
  });
  const flood = Array.from({ length: 200 }, (_, n) => rig.say(`${mention} flood ${n}`, place(n)));
  const last = flood.at(-1);
  if (last === undefined) throw new Error("there is no flood");
  await rig.handled(last);
  const question = rig.say(`${mention} how are you?`, { userId: someone, channelId: quietChannel });
  expect((await rig.replyTo(question.id)).content).toBe("You said: how are you?");
  expect(rig.turns.stats().running).toBe(3);
  expect(loud.channelIds.flatMap((channelId) => rig.said(channelId))).toEqual([]);
  door.open();
  await until("the end of the flood", () => rig.turns.stats().running + rig.turns.stats().waiting === 0);
  // Discord takes eighteen a second of what is said, so that the last answer is long in coming.
  expect(rig.requests).toHaveLength(flood.length + 1);
  await rig.replyTo(flood[0]?.id ?? "");
});

test("a server whose queue is full is told so, each person once a minute, and another server is not", async () => {
  const door = gate();
  const simulator = { seed: chaosWorld(people) };
  await using rig = await Rig.start({
    simulator,
    env: { ...limits, TURNS_CONCURRENT: "1", TURN_QUEUE_GUILD: "5" },
    answer: async () => {
      await door.opened;
      return "done";
    },
  });
  // One runs, five wait.
  const taken = places.slice(0, 6).map((one) => rig.say(`${mention} hello`, one));
  for (const message of taken) await rig.handled(message);
  const refused = rig.say(`${mention} one too many`, place(6));
  expect((await rig.replyTo(refused.id)).content).toContain("5 messages of this server wait for an answer");
  const again = rig.say(`${mention} and again`, place(6));
  const other = rig.say(`${mention} another person`, place(7));
  expect((await rig.replyTo(other.id)).content).toContain("of this server");
  const elsewhere = rig.say(`${mention} elsewhere`, { userId: someone, channelId: quietChannel });
  await rig.handled(elsewhere);
  door.open();
  expect((await rig.replyTo(elsewhere.id)).content).toBe("done");
  for (const message of taken) await rig.replyTo(message.id);
  expect(rig.said(place(6).channelId)).toHaveLength(taken.length + 2);
  expect(await rig.memory.seen.has(again.id)).toBe(true);
});

test("a person whose messages wait everywhere is told so, and others are not", async () => {
  const door = gate();
  const simulator = { seed: chaosWorld(people) };
  await using rig = await Rig.start({
    simulator,
    env: { ...limits, TURNS_CONCURRENT: "1", TURN_QUEUE_USER: "2" },
    answer: async () => {
      await door.opened;
      return "done";
    },
  });
  const of = (n: number) => ({ userId: someone, channelId: loud.channelIds[n] ?? "" });
  for (const n of [0, 1, 2]) await rig.handled(rig.say(`${mention} hello`, of(n)));
  const refused = rig.say(`${mention} one too many`, of(3));
  expect((await rig.replyTo(refused.id)).content).toContain("You already have 2 messages waiting");
  const other = rig.say(`${mention} somebody else`, place(1));
  await rig.handled(other);
  door.open();
  expect((await rig.replyTo(other.id)).content).toBe("done");
});

test("somebody who comes when too much waits in all is told so", async () => {
  const door = gate();
  const simulator = { seed: chaosWorld(people) };
  await using rig = await Rig.start({
    simulator,
    env: { ...limits, TURNS_CONCURRENT: "1", TURN_QUEUE_TOTAL: "2" },
    answer: async () => {
      await door.opened;
      return "done";
    },
  });
  for (const n of [0, 1, 2]) await rig.handled(rig.say(`${mention} hello`, place(n)));
  const refused = rig.say(`${mention} one too many`, place(3));
  expect((await rig.replyTo(refused.id)).content).toContain(
    "2 messages wait for an answer of mine in all places",
  );
  door.open();
});

test("answers that Discord holds up in all channels of one server hold up none of another", async () => {
  const busy = Array.from({ length: 30 }, (_, n) => String(900_000_000_000_000_000n + BigInt(n)));
  const world = chaosWorld(people);
  const seed = {
    ...world,
    guilds: world.guilds.map((guild) =>
      guild.id === runs
        ? {
            ...guild,
            channels: [
              ...guild.channels,
              ...busy.map((id, n) => ({ id, name: `busy-${n}`, kind: "text" as const })),
            ],
          }
        : guild,
    ),
  };
  await using rig = await Rig.start({ simulator: { seed }, env: limits });
  const stuck = rig.sim.faults.rest({
    method: "POST",
    path: /\/channels\/9\d+\/messages$/,
    respond: "hold",
    times: 100,
  });
  const flood = busy.map((channelId, n) =>
    rig.say(`${mention} flood ${n}`, { channelId, userId: crowd[n % people] ?? "" }),
  );
  await until("the flood to be held up", () => stuck.hits >= 12);
  const question = rig.say(`${mention} how are you?`, { userId: someone, channelId: quietChannel });
  expect((await rig.replyTo(question.id)).content).toContain("how are you?");
  expect(stuck.hits).toBe(12);
  expect(rig.said(busy[0])).toEqual([]);
  stuck.release();
  await Promise.all(flood.map(({ id }) => rig.replyTo(id)));
});
