import { describe, expect, test } from "bun:test";
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
