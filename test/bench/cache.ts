import { numberOf, startPart } from "./parts.ts";
import { type Bench, median, type Row } from "./report.ts";

const rounds = 3;
const base = { guilds: 100, channels: 3, roles: 6, members: 1 };
const kinds = ["guild", "channel", "role", "member"] as const;
type Kind = (typeof kinds)[number];

/** Against `base`, so that what is there once is in neither: so many more of one sort. */
const more: Readonly<Record<Kind, { readonly size: typeof base; readonly added: number }>> = {
  guild: { size: { ...base, guilds: 900 }, added: 800 },
  channel: { size: { ...base, channels: 153 }, added: 150 * base.guilds },
  role: { size: { ...base, roles: 156 }, added: 150 * base.guilds },
  member: { size: { ...base, members: 151 }, added: 150 * base.guilds },
};

export const cache: Bench = {
  name: "cache",
  about: `What the heap holds of each, from the same GUILD_CREATE: what ${more.guild.added} more guilds, or ${more.channel.added.toLocaleString("en")} more channels, roles or members in ${base.guilds} guilds add, each a new process with its garbage collected (${rounds} rounds). A third of the channels have three overwrites, a member has two roles, and all guilds have the same users. discord.js has its own defaults.`,
  async run() {
    const ours = new URL("./cache-ours.ts", import.meta.url);
    const floor = new URL("./cache-floor.ts", import.meta.url);

    async function held(script: URL, size: typeof base): Promise<number> {
      const rounded: number[] = [];
      for (let round = 0; round < rounds; round++) {
        await using part = await startPart(script, size);
        rounded.push(numberOf(part.facts, "held"));
      }
      return median(rounded);
    }
    async function bytes(script: URL): Promise<Record<Kind, number>> {
      const before = await held(script, base);
      const of = async ({ size, added }: (typeof more)[Kind]) =>
        ((await held(script, size)) - before) / added;
      return {
        guild: await of(more.guild),
        channel: await of(more.channel),
        role: await of(more.role),
        member: await of(more.member),
      };
    }

    const [own, theirs] = [await bytes(ours), await bytes(floor)];
    const { channels, roles, members } = base;
    const names = {
      guild: `a guild of ${channels} channels, ${roles} roles and ${members} member beside the bot`,
      channel: "a channel",
      role: "a role",
      member: "a member that is kept",
    };
    return kinds.map(
      (kind): Row => ({
        what: names[kind],
        unit: "bytes",
        ours: own[kind],
        floor: theirs[kind],
        floorIs: "discord.js",
        goal: "",
      }),
    );
  },
};
