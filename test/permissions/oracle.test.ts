import { afterAll, describe, expect, test } from "bun:test";
import { ChannelType, Client, Guild, PermissionFlagsBits } from "discord.js";
import fc from "fast-check";
import { applyOverwrites, basePermissions, everything } from "../../src/permissions/compute.ts";
import type { OverwriteFacts } from "../../src/permissions/facts.ts";
import { channel, channelId, guild, guildId, member, memberId, ownerId, roleIds } from "./facts.ts";

const client = new Client({ intents: [] });
afterAll(() => client.destroy());

const bits = Object.values(PermissionFlagsBits);
/** Administrator in a few only, or it would decide nearly all. */
const permissions = fc
  .tuple(fc.subarray(bits.filter((bit) => bit !== PermissionFlagsBits.Administrator)), fc.nat({ max: 15 }))
  .map(([some, luck]) =>
    some.reduce((all, bit) => all | bit, luck === 0 ? PermissionFlagsBits.Administrator : 0n),
  );
const overwriteOf = (id: string, type: OverwriteFacts["type"]) =>
  fc.record({ id: fc.constant(id), type: fc.constant(type), allow: permissions, deny: permissions });
const situation = fc.record({
  everyone: permissions,
  roles: fc.tuple(permissions, permissions, permissions),
  held: fc.subarray([...roleIds]),
  userId: fc.constantFrom(memberId, memberId, memberId, ownerId),
  overwrites: fc
    .tuple(
      overwriteOf(guildId, "role"),
      ...roleIds.map((id) => overwriteOf(id, "role")),
      overwriteOf(memberId, "member"),
      overwriteOf("100000000000000099", "member"),
    )
    .chain((all) => fc.shuffledSubarray(all)),
});

/** discord.js's own answer, from payloads as the gateway sends them. */
function oracle({ everyone, roles, held, userId, overwrites }: Situation): bigint {
  const role = (id: string, permissions: bigint, position: number) => ({
    id,
    name: id,
    position,
    permissions: String(permissions),
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    flags: 0,
  });
  const payload = {
    id: guildId,
    name: "Harbour",
    owner_id: ownerId,
    features: [],
    roles: [role(guildId, everyone, 0), ...roles.map((each, at) => role(roleIds[at] ?? "", each, at + 1))],
    channels: [
      {
        id: channelId,
        type: ChannelType.GuildText,
        name: "general",
        permission_overwrites: overwrites.map(({ id, type, allow, deny }) => ({
          id,
          type: type === "role" ? 0 : 1,
          allow: String(allow),
          deny: String(deny),
        })),
      },
    ],
    members: [{ user: { id: userId, username: "ana", discriminator: "0" }, roles: held, flags: 0 }],
  };
  // The client remembers channels by id, with the guild that they came with first.
  client.channels.cache.clear();
  const made: Guild = Reflect.construct(Guild, [client, payload]);
  const found = made.channels.cache.get(channelId)?.permissionsFor(userId);
  if (!found) throw new Error("discord.js knows no such member or channel.");
  return found.bitfield;
}

interface Situation {
  readonly everyone: bigint;
  readonly roles: readonly bigint[];
  readonly held: readonly string[];
  readonly userId: string;
  readonly overwrites: readonly OverwriteFacts[];
}

describe("base permissions and overwrites", () => {
  test("are discord.js's, for any roles and overwrites", () => {
    let decided = 0;
    fc.assert(
      fc.property(situation, (given) => {
        const facts = guild(given.everyone, given.roles);
        const who = member({ userId: given.userId, roleIds: given.held });
        const base = basePermissions(facts, who);
        const ours = applyOverwrites(base, channel(given.overwrites).overwrites, facts, who);
        if (ours !== everything) decided++;
        expect(ours).toBe(oracle(given));
      }),
      { numRuns: 400 },
    );
    expect(decided).toBeGreaterThan(100);
  });
});
