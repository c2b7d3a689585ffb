import { describe, expect, test } from "bun:test";
import { createErasing, type LiveParts } from "../../src/erasing/erasing.ts";
import { createGuildRemoval } from "../../src/erasing/guild-removal.ts";
import { converse, folder } from "../memory/helpers.ts";

const graceMs = 24 * 3_600_000;
const one = "300000000000000001";
const two = "300000000000000002";

describe("a server that removes the bot", () => {
  test("is due a grace later, once, also after a restart, and not when the bot comes back", async () => {
    using at = folder();
    let now = 1_000_000;
    {
      using memory = at.open({ now: () => now });
      const guilds = createGuildRemoval({ erasures: memory.erasures, graceMs, now: () => now });
      await guilds.removed(one);
      now += 1000;
      await guilds.removed(one);
      await guilds.removed(two);
      await guilds.present(two);
    }
    using memory = at.open({ now: () => now });
    expect(await memory.erasures.nextDue(1_000_000 + graceMs - 1)).toBeNull();
    expect(await memory.erasures.nextDue(1_000_000 + graceMs)).toMatchObject({ kind: "guild", subject: one });
    expect(await memory.erasures.get("guild", two)).toBeNull();
  });

  test("is noticed when it happened while nobody listened, among those of the shard alone", async () => {
    using at = folder();
    using memory = at.open();
    for (const guildId of [one, two, null]) await converse(memory, "yes", { guildId });
    const guilds = createGuildRemoval({ erasures: memory.erasures, graceMs, now: Date.now });
    await guilds.listed([], (id) => id === two);
    expect(await memory.erasures.get("guild", one)).toBeNull();
    expect(await memory.erasures.get("guild", two)).not.toBeNull();
    await guilds.listed([two], () => true);
    expect(await memory.erasures.get("guild", one)).not.toBeNull();
    expect(await memory.erasures.get("guild", two)).toBeNull();
  });
});

describe("a server whose data are due", () => {
  /** What is left of it after a while, when Discord says that: of the wish and of the conversation. */
  async function after(isIn: LiveParts["isIn"] | null) {
    using at = folder();
    let now = 1000;
    using memory = at.open({ now: () => now });
    await converse(memory, "yes", { guildId: one });
    const { erasures, eraser } = memory;
    const live = isIn === null ? null : { ...idle, isIn };
    const erasing = createErasing({ erasures, eraser, live, logs: [], now: () => now });
    await erasures.request({ kind: "guild", subject: one, dueAt: 1000 });
    for (let minute = 0; minute < 3; minute++, now += 60_000) await erasing.runDue();
    return {
      isWished: (await erasures.get("guild", one)) !== null,
      turns: eraser.footprint({ kind: "guild", id: one }).turns,
    };
  }
  const idle: Omit<LiveParts, "isIn"> = {
    shut: () => ({ settled: async () => true, open: () => undefined }),
    discordNow: () => null,
    flush: async () => undefined,
    stop: async () => undefined,
    revoke: async () => undefined,
    forget: async () => undefined,
    tell: async () => undefined,
  };
  const unavailable = async () => {
    throw new Error("Discord is down");
  };

  test("is erased once Discord says that the bot is not there", async () => {
    expect(await after(async () => false)).toEqual({ isWished: false, turns: 0 });
    const answers = [unavailable, async () => false];
    expect(await after(async () => answers.shift()?.() ?? true)).toEqual({ isWished: false, turns: 0 });
  });

  test("is kept when the bot has come back unheard, as while the service did not run", async () => {
    expect(await after(async () => true)).toEqual({ isWished: false, turns: 1 });
  });

  test.each([
    ["Discord is down", unavailable],
    ["no service runs", null],
  ] as const)("is kept for the time being while %s", async (_, isIn) => {
    expect(await after(isIn)).toEqual({ isWished: true, turns: 1 });
  });
});
