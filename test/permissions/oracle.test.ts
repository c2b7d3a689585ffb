import { afterAll, describe, expect, test } from "bun:test";
import { ChannelType, Client, Guild, PermissionFlagsBits } from "discord.js";
import fc from "fast-check";
import { applyOverwrites, basePermissions, everything } from "../../src/permissions/compute.ts";
import type { GuildFacts, OverwriteFacts } from "../../src/permissions/facts.ts";
import { guild, guildId, member, memberId, ownerId, roleIds } from "./facts.ts";
import { overwrites, permissions, strangerId } from "./generate.ts";

const client = new Client({ intents: [] });
afterAll(() => client.destroy());

const { Administrator } = PermissionFlagsBits;
const guildCount = 20_000;
const channelIds = ["100000000000000021", "100000000000000024"] as const;

interface Situation {
  readonly everyone: bigint;
  readonly roles: readonly bigint[];
  readonly held: readonly string[];
  readonly channels: readonly (readonly OverwriteFacts[])[];
}

const situation: fc.Arbitrary<Situation> = fc.record({
  everyone: permissions,
  roles: fc.tuple(permissions, permissions, permissions),
  held: fc.subarray([...roleIds]),
  channels: fc.tuple(overwrites(permissions), overwrites(permissions)),
});

/** A guild of discord.js's own, from payloads as the gateway sends them. */
function made({ everyone, roles, held, channels }: Situation): Guild {
  const role = (id: string, permissions: bigint, position: number) => ({
    id,
    name: id,
    position,
    permissions: String(permissions),
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    flags: 0,
  });
  const of = (userId: string, roles: readonly string[]) => ({
    user: { id: userId, username: "ana", discriminator: "0" },
    roles,
    flags: 0,
  });
  const payload = {
    id: guildId,
    name: "Harbour",
    owner_id: ownerId,
    features: [],
    roles: [role(guildId, everyone, 0), ...roles.map((each, at) => role(roleIds[at] ?? "", each, at + 1))],
    channels: channels.map((given, at) => ({
      id: channelIds[at],
      type: ChannelType.GuildText,
      name: "general",
      permission_overwrites: given.map(({ id, type, allow, deny }) => ({
        id,
        type: type === "role" ? 0 : 1,
        allow: String(allow),
        deny: String(deny),
      })),
    })),
    members: [of(memberId, held), of(strangerId, []), of(ownerId, held)],
  };
  // The client remembers channels by id, with the guild that they came with first.
  client.channels.cache.clear();
  return Reflect.construct(Guild, [client, payload]);
}

describe("base permissions and overwrites", () => {
  test(`are discord.js's in ${guildCount} guilds, for any roles and overwrites`, () => {
    let decided = 0;
    fc.assert(
      fc.property(situation, (given) => {
        const oracle = made(given);
        const facts: GuildFacts = guild(given.everyone, given.roles);
        for (const [userId, held] of [
          [memberId, given.held],
          [strangerId, []],
          [ownerId, given.held],
        ] as const) {
          const who = member({ userId, roleIds: held });
          const base = basePermissions(facts, who);
          const theirs = oracle.members.cache.get(userId);
          // There an administrator's are not filled up.
          const theirBase = theirs?.permissions.has(Administrator)
            ? everything
            : theirs?.permissions.bitfield;
          if (base !== theirBase) throw new Error(`${userId}: ${base}, not ${theirBase}`);
          for (const [at, each] of given.channels.entries()) {
            const ours = applyOverwrites(base, each, facts, who);
            if (ours !== everything) decided++;
            const channel = oracle.channels.cache.get(channelIds[at] ?? "");
            const expected = channel?.permissionsFor(userId)?.bitfield;
            if (ours !== expected) throw new Error(`${userId} in channel ${at}: ${ours}, not ${expected}`);
          }
        }
      }),
      { numRuns: guildCount },
    );
    expect(decided).toBeGreaterThan(guildCount);
  }, 60_000);
});
