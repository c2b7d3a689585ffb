import { expect, test } from "bun:test";
import { showTyping, type TypingDeps } from "../../src/discord/posts/typing.ts";
import { createRestClients } from "../../src/discord/rest/client.ts";
import { channels, gate, mention, Rig } from "./harness.ts";
import { startRestSite } from "./rest/site.ts";

test("is shown for as long as a turn runs, again and again, and not after", async () => {
  const door = gate();
  await using rig = await Rig.start({
    answer: () => door.opened.then(() => "done"),
    timing: { typingMs: 30 },
  });
  const typing = () => rig.sim.requests.filter(({ path }) => path.endsWith("/typing")).length;
  const question = rig.say(`${mention} think`);
  let since = 0;
  for (let times = 0; times < 3; times += 1) {
    await rig.sim.waitForTyping(channels.general, { since });
    since = rig.sim.mark();
  }
  door.open();
  await rig.replyTo(question.id);
  const shown = typing();
  const other = rig.say(`${mention} again`, { channelId: channels.help });
  await rig.replyTo(other.id);
  expect(typing() - shown).toBeLessThanOrEqual(1);
});

test("failing is counted and of no account", async () => {
  await using rig = await Rig.start();
  rig.sim.faults.rest({ path: /typing$/, respond: 500, times: 5 });
  const question = rig.say(`${mention} hello`);
  await rig.replyTo(question.id);
  expect(rig.said()).toHaveLength(1);
});

/** Turns begin and end as the test says, before a simulated Discord. */
async function typist(options: Pick<TypingDeps, "repeatMs" | "perSecond">) {
  const site = await startRestSite();
  const clients = createRestClients(site.simulator.token, site.simulator.apiUrl);
  const told: Record<"running" | "ended", (id: string, channelId: string) => void> = {
    running: () => {},
    ended: () => {},
  };
  const hear = (what: keyof typeof told) => (listener: Parameters<TypingDeps["turns"]["onRunning"]>[0]) => {
    told[what] = (id, channelId) => listener({ id, replyTo: { channelId } });
    return () => {};
  };
  const typing = showTyping({
    api: clients.writes,
    turns: { onRunning: hear("running"), onEnded: hear("ended"), onApproval: () => () => {} },
    onFailure: () => {},
    ...options,
  });
  return {
    told,
    simulator: site.simulator,
    shownIn: () =>
      site.simulator.requests.flatMap(({ path }) => /^\/channels\/(\d+)\/typing$/.exec(path)?.[1] ?? []),
    /** Whatever was sent before this has come. */
    settled: () => clients.writes.channels.createMessage(channels.general, { content: "settled" }),
    async [Symbol.asyncDispose]() {
      typing[Symbol.dispose]();
      clients.dispose();
      await site[Symbol.asyncDispose]();
    },
  };
}

test("is shown so often a second in all channels, and what is above it is left out", async () => {
  await using one = await typist({ repeatMs: 3_600_000, perSecond: 3 });
  const all = [channels.general, channels.help, channels.random, channels.staff, channels.announcements];
  for (const channelId of all) one.told.running(`turn in ${channelId}`, channelId);
  await one.simulator.waitForTyping(channels.random);
  await one.settled();
  expect(one.shownIn().toSorted()).toEqual(all.slice(0, 3).toSorted());
});

test("is shown once for all turns of a channel, until the last of them ends", async () => {
  await using one = await typist({ repeatMs: 5, perSecond: 1e9 });
  one.told.running("first", channels.general);
  await one.simulator.waitForTyping(channels.general);
  one.told.running("second", channels.general);
  one.told.ended("first", channels.general);
  await one.simulator.waitForTyping(channels.general, { since: one.simulator.mark() });
  one.told.ended("second", channels.general);
  await one.settled();
  const shownInGeneral = () => one.shownIn().filter((channelId) => channelId === channels.general).length;
  const shown = shownInGeneral();
  one.told.running("elsewhere", channels.help);
  for (let times = 0; times < 4; times += 1)
    await one.simulator.waitForTyping(channels.help, { since: one.simulator.mark() });
  expect(shownInGeneral()).toBe(shown);
});

test("is shown once at the beginning of many turns in a channel", async () => {
  await using one = await typist({ repeatMs: 3_600_000, perSecond: 1e9 });
  for (const id of ["first", "second", "third"]) one.told.running(id, channels.general);
  await one.simulator.waitForTyping(channels.general);
  await one.settled();
  expect(one.shownIn()).toEqual([channels.general]);
});
