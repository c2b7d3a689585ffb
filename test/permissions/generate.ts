import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import fc from "fast-check";
import type { ChannelFacts, GuildFacts, MemberFacts, OverwriteFacts } from "../../src/permissions/facts.ts";
import { channel, guild, guildId, member, memberId, ownerId, roleIds, thread } from "./facts.ts";

export const strangerId = "100000000000000099";
export const allBits = [...new Set(Object.values(PermissionFlagsBits))];

const ordinary = allBits.filter((bit) => bit !== PermissionFlagsBits.Administrator);

/** Any permissions; Administrator in a few only, or it would decide nearly all. */
export const permissions: fc.Arbitrary<bigint> = among(ordinary, 16);

function among(bits: readonly bigint[], oneIn: number): fc.Arbitrary<bigint> {
  return fc
    .tuple(fc.subarray([...bits]), fc.nat({ max: oneIn - 1 }))
    .map(([some, luck]) =>
      some.reduce((all, bit) => all | bit, luck === 0 ? PermissionFlagsBits.Administrator : 0n),
    );
}

/** Permissions that depend on each other, so that what is generated decides often and both ways. */
export const entangled: fc.Arbitrary<bigint> = among(
  [
    PermissionFlagsBits.ViewChannel,
    PermissionFlagsBits.ReadMessageHistory,
    PermissionFlagsBits.SendMessages,
    PermissionFlagsBits.SendMessagesInThreads,
    PermissionFlagsBits.AttachFiles,
    PermissionFlagsBits.Connect,
    PermissionFlagsBits.ManageThreads,
  ],
  16,
);

function overwriteOf(id: string, type: OverwriteFacts["type"], bits: fc.Arbitrary<bigint>) {
  return fc.record({ id: fc.constant(id), type: fc.constant(type), allow: bits, deny: bits });
}

/** Of everybody, of each role, of a member and of somebody else; any of them, in any order. */
export function overwrites(bits: fc.Arbitrary<bigint>): fc.Arbitrary<OverwriteFacts[]> {
  return fc
    .tuple(
      overwriteOf(guildId, "role", bits),
      ...roleIds.map((id) => overwriteOf(id, "role", bits)),
      overwriteOf(memberId, "member", bits),
      overwriteOf(strangerId, "member", bits),
    )
    .chain((all) => fc.shuffledSubarray(all));
}

export function guilds(bits: fc.Arbitrary<bigint>): fc.Arbitrary<GuildFacts> {
  return fc.tuple(bits, fc.tuple(bits, bits, bits)).map(([everyone, roles]) => guild(everyone, roles));
}

export const members: fc.Arbitrary<MemberFacts> = fc
  .record({
    userId: fc.constantFrom(memberId, memberId, strangerId, "100000000000000098", ownerId),
    roleIds: fc.subarray([...roleIds]),
    timedOutUntil: fc.constantFrom(null, null, 0, 10),
  })
  .map(member);

export interface Place {
  readonly channel: ChannelFacts;
  readonly parent: ChannelFacts | null;
}

/** Channels of all sorts, and threads with what they belong to. `id` tells apart the places of one guild. */
export function places(bits: fc.Arbitrary<bigint>, id: string): fc.Arbitrary<Place> {
  const { GuildText, GuildVoice, GuildForum, PublicThread, AnnouncementThread, PrivateThread } = ChannelType;
  const plain = fc
    .tuple(overwrites(bits), fc.constantFrom(GuildText, GuildText, GuildVoice, GuildForum))
    .map(([given, type]) => ({ channel: channel(given, { id, type }), parent: null }));
  const threads = fc
    .tuple(overwrites(bits), fc.constantFrom(PublicThread, AnnouncementThread, PrivateThread))
    .map(([given, type]) => ({
      channel: { ...thread(type), id: `${id}7`, parentId: id },
      parent: channel(given, { id }),
    }));
  return fc.oneof(plain, plain, threads);
}
