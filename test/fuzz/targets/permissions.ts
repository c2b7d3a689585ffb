import {
  type APIChannel,
  type APIGuildMember,
  type APIRole,
  ChannelType,
  OverwriteType,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import fc from "fast-check";
import type { Fits } from "../../../src/discord/fits.ts";
import { isChannel, isMember, isRole } from "../../../src/discord/promised-shapes.ts";
import { memberFacts, Shapes } from "../../../src/discord/state/state-shapes.ts";
import { channelPermissions, everything, guildPermissions } from "../../../src/permissions/compute.ts";
import type { GuildFacts } from "../../../src/permissions/facts.ts";
import { channelFacts } from "../../../src/tools/channel-facts.ts";
import { equal, holds } from "../holds.ts";
import { target } from "../target.ts";

const guildId = "300000000000000001";
const channelId = "300000000000000002";
const parentId = "300000000000000003";
const roleId = "300000000000000004";
const userId = "300000000000000011";
const { Administrator, SendMessages, ViewChannel } = PermissionFlagsBits;

/** What Discord sends, and now and then something else: one wrong thing in many is what has to be found. */
const mostly = (right: fc.Arbitrary<unknown>, wrong: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: right, weight: 40 }, fc.constantFrom(...wrong));

/** Bits that decide the most are there half of the time. */
const right = fc
  .tuple(fc.bigInt({ min: 0n, max: 1n << 60n }), fc.subarray([Administrator, ViewChannel, SendMessages]))
  .map(([any, some]) => some.reduce((all, bit) => all | bit, any & ~Administrator));
const bits = mostly(
  fc.oneof(right.map(String), fc.constantFrom("0", "8", String(everything), String(1n << 100n))),
  [
    ...[
      "",
      " ",
      "-1",
      "-8",
      "0x8",
      "0b1000",
      "8n",
      "1e3",
      "3.5",
      " 8 ",
      "8\n",
      "Infinity",
      "NaN",
      "null",
      "٨",
    ],
    ...["1".repeat(400), null, undefined, 8, -1, 1.5, true, [], ["8"], {}],
  ],
);
const overwrite = mostly(
  fc.record({
    id: mostly(fc.constantFrom(guildId, roleId, userId, "0"), ["", null, undefined, 3e17, {}, "__proto__"]),
    type: mostly(fc.constantFrom(OverwriteType.Role, OverwriteType.Member), [
      ...[2, -1, "role", "member", "0", "1", null, undefined, {}],
    ]),
    allow: bits,
    deny: bits,
  }),
  [null, {}, "x"],
);
const overwrites = mostly(fc.array(overwrite, { maxLength: 4 }), [undefined, null, {}, "x", 3]);
const { GuildText, GuildVoice, PublicThread, PrivateThread, DM } = ChannelType;
const kind = mostly(fc.constantFrom(GuildText, GuildVoice, PublicThread, PrivateThread, DM, 99), [
  ...["0", null, undefined, 1.5],
]);
const input = fc.record({
  everyone: bits,
  role: bits,
  roles: mostly(fc.subarray([roleId, guildId, "0"]), [[null], undefined, null, roleId, {}, 5]),
  until: mostly(fc.constantFrom(undefined, null, "2999-01-01T00:00:00Z", "1970-01-01T00:00:00Z"), [
    ...["", "soon", 5, {}, []],
  ]),
  kind,
  parent: fc.option(fc.record({ kind, overwrites })),
  overwrites,
});

/** Whether a text is what Discord writes: the digits of a number that is not negative. */
const isPlain = (text: unknown): boolean => typeof text === "string" && /^\d{1,100}$/.test(text);

/** It comes in as JSON does, and is refused as what makes no sense is. */
function taken<Shape>(fits: Fits<Shape>, value: unknown): Shape {
  const given = JSON.parse(JSON.stringify(value) ?? "null");
  if (!fits(given)) throw new TypeError("It does not fit.");
  return given;
}

export const permissions = target(
  "permissions",
  "facts that cannot be right are refused or give nothing; they never give more than the roles do",
  1000,
  () => ({
    inputs: input,
    check(given) {
      const shapes = new Shapes();
      const read = () => {
        const plainRole = { position: 1, managed: false, color: 0, hoist: false, mentionable: false };
        const role = (id: string, permissions: unknown) =>
          shapes.role(taken<APIRole>(isRole, { ...plainRole, id, name: id, permissions }));
        const facts = {
          id: guildId,
          name: "Harbour",
          ownerId: "300000000000000099",
          requiresMfa: false,
          verificationLevel: 0,
        };
        const guild: GuildFacts = {
          ...facts,
          roles: new Map([
            [guildId, role(guildId, given.everyone)],
            [roleId, role(roleId, given.role)],
          ]),
        };
        const user = { id: userId, username: "ana" };
        const member = memberFacts(
          userId,
          taken<APIGuildMember>(isMember, {
            ...{ user, roles: given.roles, joined_at: null, communication_disabled_until: given.until },
          }),
        );
        const place = (id: string, type: unknown, permission_overwrites: unknown, parent_id?: string) => {
          const channel = taken<APIChannel>(isChannel, { id, type, permission_overwrites, parent_id });
          const read = shapes.channel(channel, guildId, null);
          equal(channelFacts(channel, guildId), read, "a channel is read in two ways");
          return read;
        };
        const channel = place(channelId, given.kind, given.overwrites, parentId);
        const parent =
          given.parent === null ? null : place(parentId, given.parent.kind, given.parent.overwrites);
        return { guild, member, channel, parent };
      };
      let facts: ReturnType<typeof read>;
      try {
        facts = read();
      } catch {
        // Refused where it comes in, which is an error of Discord's.
        return "refused";
      }
      holds(
        isPlain(given.everyone) && isPlain(given.role),
        `read as permissions: ${JSON.stringify([given.everyone, given.role])}`,
      );
      const { guild, member, channel, parent } = facts;
      const own = guildPermissions(guild, member, Date.now());
      const isThere = channelPermissions({
        guild,
        member,
        channel,
        parent,
        isThreadMember: false,
        now: Date.now(),
      });
      const isAdministrator = (own & Administrator) !== 0n;
      holds(isThere === 0n || (isThere & ViewChannel) !== 0n, "permissions without sight");
      holds(isAdministrator || (isThere & Administrator) === 0n, "a channel makes an administrator");
      const list = Array.isArray(given.overwrites) ? given.overwrites : [];
      for (const each of list) {
        if (typeof each !== "object" || each === null || !("allow" in each)) continue;
        holds(isPlain(each.allow) && isPlain(each.deny), `read as an overwrite: ${JSON.stringify(each)}`);
        holds(
          each.type === OverwriteType.Role || each.type === OverwriteType.Member,
          `an overwrite of type ${each.type}`,
        );
      }
      return isAdministrator ? "administrator" : isThere === 0n ? "sees nothing" : "sees it";
    },
  }),
);
