import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits as P } from "discord-api-types/v10";
import { dangerous } from "../../src/permissions/audit.ts";
import type { OverwriteFacts } from "../../src/permissions/facts.ts";
import { channel, guild, guildId, memberId, roleIds } from "./facts.ts";

const [crew, staff, boss] = roleIds;
const onRole = (id: string, allow: bigint): OverwriteFacts => ({ id, type: "role", allow, deny: 0n });

describe("dangerous grants", () => {
  const facts = guild(P.ViewChannel | P.MentionEveryone, [
    P.SendMessages,
    P.BanMembers | P.ManageMessages | P.SendMessages,
    P.Administrator,
  ]);

  test("are the dangerous permissions of each role, the highest role first and @everyone last", () => {
    expect(dangerous(facts, []).inGuild).toEqual([
      { type: "role", id: boss, permissions: P.Administrator },
      { type: "role", id: staff, permissions: P.BanMembers | P.ManageMessages },
      { type: "role", id: guildId, permissions: P.MentionEveryone },
    ]);
  });

  test("are what overwrites add to that in a channel", () => {
    const overwrites: OverwriteFacts[] = [
      onRole(guildId, P.ManageThreads | P.MentionEveryone | P.AddReactions),
      onRole(crew, P.ManageMessages | P.MentionEveryone | P.Administrator),
      onRole(staff, P.ManageMessages | P.ManageRoles),
      onRole(boss, P.ManageRoles),
      { id: memberId, type: "member", allow: P.ManageWebhooks | P.MentionEveryone, deny: 0n },
      { id: "100000000000000098", type: "member", allow: P.SendMessages, deny: P.ManageRoles },
    ];
    expect(dangerous(facts, [channel([onRole(crew, P.SendMessages)]), channel(overwrites)])).toMatchObject({
      inChannels: [
        {
          channelId: channel().id,
          holders: [
            { type: "role", id: guildId, permissions: P.ManageThreads },
            { type: "role", id: crew, permissions: P.ManageMessages },
            { type: "role", id: staff, permissions: P.ManageRoles },
            { type: "member", id: memberId, permissions: P.ManageWebhooks },
          ],
        },
      ],
    });
  });

  test("are all there is where everybody is an administrator", () => {
    const { inGuild, inChannels } = dangerous(guild(P.Administrator), [
      channel([onRole(crew, P.ManageRoles)]),
    ]);
    expect(inGuild).toEqual([{ type: "role", id: guildId, permissions: P.Administrator }]);
    expect(inChannels).toEqual([]);
  });
});
