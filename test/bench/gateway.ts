import { temporaryFolder } from "./folder.ts";
import { numberOf, startPart } from "./parts.ts";
import { type Bench, median } from "./report.ts";

const rounds = 3;
const world = { guilds: 100, channels: 50, roles: 50 };
const events = 40_000;
const mib = 2 ** 20;

interface Figures {
  readonly eventsPerSecond: number;
  readonly processor: number;
  readonly resident: number;
  readonly grown: number;
}

export const gateway: Bench = {
  name: "gateway",
  about: `${events.toLocaleString("en")} events (of ten six messages to nobody in particular, two members, one channel, one role) in ${world.guilds} guilds of ${world.channels} channels and ${world.roles} roles, the same frames for both, each a new process (${rounds} rounds). Ours is the whole service, run from source; discord.js has its own defaults. Memory is what is resident after READY and the guilds, garbage collected.`,
  async run() {
    const feed = new URL("./gateway-feed.ts", import.meta.url);
    await using discord = await startPart(feed, { ...world, events });
    const ours = new URL("./gateway-ours.ts", import.meta.url);
    const floor = new URL("./gateway-floor.ts", import.meta.url);

    async function measure(script: URL): Promise<Figures> {
      await using folder = await temporaryFolder();
      await using client = await startPart(script, { ...discord.facts, folder: folder.path });
      await discord.ask("greet");
      const resident = numberOf(await client.ask("resident"), "after");
      const cpu = numberOf(await client.ask("processor"), "ms");
      const ms = numberOf(await discord.ask("blast"), "ms");
      // What is put off, such as writing down how far each channel was read, is part of taking in.
      await Bun.sleep(1500);
      const spent = numberOf(await client.ask("processor"), "ms") - cpu;
      return {
        eventsPerSecond: (events / ms) * 1000,
        processor: (spent / events) * 1000,
        resident,
        grown: resident - numberOf(client.facts, "before"),
      };
    }

    const measured: { ours: Figures[]; floor: Figures[] } = { ours: [], floor: [] };
    for (let round = 0; round < rounds; round++) {
      measured.ours.push(await measure(ours));
      measured.floor.push(await measure(floor));
    }
    const row = (what: string, unit: string, of: keyof Figures, scale: number) => ({
      what,
      unit,
      ours: median(measured.ours.map((figures) => figures[of])) / scale,
      floor: median(measured.floor.map((figures) => figures[of])) / scale,
      floorIs: "discord.js",
      goal: "",
    });
    return [
      row("gateway events", "per second", "eventsPerSecond", 1),
      row("processor time of an event, put-off work included", "µs", "processor", 1),
      row("resident after READY", "MiB", "resident", mib),
      row("grown by connecting", "MiB", "grown", mib),
    ];
  },
};
