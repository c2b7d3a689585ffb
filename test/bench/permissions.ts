import { Client, Guild, PermissionFlagsBits } from "discord.js";
import { GuildState } from "../../src/discord/state/guild-state.ts";
import { memberFacts } from "../../src/discord/state/state-shapes.ts";
import { isWithin } from "../../src/permissions/audience.ts";
import { channelPermissions } from "../../src/permissions/compute.ts";
import type { ChannelFacts } from "../../src/permissions/facts.ts";
import { botId, feed } from "./cache-feed.ts";
import type { Bench } from "./report.ts";
import { alternate, timed } from "./rounds.ts";

const rounds = 15;
const channelCount = 500;
const roleCount = 50;
const view = PermissionFlagsBits.ViewChannel;
const reading = view | PermissionFlagsBits.ReadMessageHistory;

export const permissions: Bench = {
  name: "permissions",
  about: `What a member of ${roleCount} roles may do in ${channelCount} channels of one guild, a third of them with three overwrites, against discord.js's permissionsFor, which knows no time-outs, threads and implicit denials (${rounds} rounds).`,
  async run() {
    const { ours, theirs, guild } = bothSides();
    if (ours.filtered() !== theirs.filtered()) throw new Error("the two sides do not agree");
    const pairs = ours.channels.map((channel, n) => [
      channel,
      ours.channels[(n * 7 + 1) % channelCount] ?? channel,
    ]);
    const audiences = () => {
      let within = 0;
      for (const [one, other] of pairs)
        if (one && other && isWithin(guild, asReaders(one), asReaders(other))) within++;
      return within;
    };
    const ms = await alternate(rounds, {
      ours: () => timed(20, ours.filtered),
      theirs: () => timed(20, theirs.filtered),
      audiences: () => timed(5, audiences),
    });
    const floorIs = "discord.js";
    const microseconds = (list: number): number => (list * 1000) / channelCount;
    return [
      {
        what: "what a member may do in one channel",
        unit: "µs",
        ours: microseconds(ms.ours),
        floor: microseconds(ms.theirs),
        floorIs,
        goal: "",
      },
      {
        what: `a list of ${channelCount} channels, filtered for the member`,
        unit: "ms",
        ours: ms.ours,
        floor: ms.theirs,
        floorIs,
        goal: "",
      },
      {
        what: "whether one channel's audience is within another's",
        unit: "µs",
        ours: microseconds(ms.audiences),
        floor: null,
        floorIs: "",
        goal: "",
      },
    ];
  },
};

const asReaders = (channel: ChannelFacts) => ({ channel, parent: null, bits: reading });

/** The same guild, channels and member on both sides, each with a function that counts the channels the member can see. */
function bothSides() {
  const state = new GuildState();
  state.botUserId = botId;
  const client = new Client({ intents: [] });
  const made: { member: ReturnType<typeof memberFacts>; theirs: Guild }[] = [];
  feed({ guilds: 1, channels: channelCount, roles: roleCount + 1, members: 2 }, (payload) => {
    const all = payload.roles.map(({ id }) => id).filter((id) => id !== payload.id);
    // Not the owner, who is the first.
    for (const member of payload.members.slice(1, 2)) {
      member.roles = all.slice(1);
      made.push({
        member: memberFacts(member.user.id, member),
        theirs: Reflect.construct(Guild, [client, payload]),
      });
    }
    state.store({ guild: payload, channels: payload.channels });
  });
  const [{ member, theirs } = { member: null, theirs: null }] = made;
  const guild = theirs === null ? null : state.guild(theirs.id);
  if (member === null || guild === null) throw new Error("there is no guild");
  const channels = state.channels(guild.id);
  const their = theirs.members.cache.get(member.userId);
  if (their === undefined || channels.length !== channelCount) throw new Error("the guild is not whole");
  const now = Date.now();
  return {
    guild,
    ours: {
      channels,
      filtered() {
        let seen = 0;
        for (const channel of channels) {
          const bits = channelPermissions({
            guild,
            member,
            channel,
            parent: null,
            isThreadMember: false,
            now,
          });
          if (bits & view) seen++;
        }
        return seen;
      },
    },
    theirs: {
      filtered() {
        let seen = 0;
        for (const channel of theirs.channels.cache.values())
          if (channel.permissionsFor(their).has(view)) seen++;
        return seen;
      },
    },
  };
}
