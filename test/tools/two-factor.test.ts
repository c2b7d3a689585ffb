import { describe, expect, test } from "bun:test";
import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { createFlow } from "../../src/tools/flow.ts";
import { createPolicies } from "../../src/tools/policy.ts";
import type { TargetSpecs } from "../../src/tools/targets.ts";
import { allOn, ana, bench, call, channel, Facts, ids, reading, toolThat } from "./harness.ts";

const { ManageThreads, SendMessagesInThreads } = PermissionFlagsBits;
const thread = "300000000000000004";
const atThread = (needs: bigint, speaks?: true): TargetSpecs => ({
  channel: {
    kind: "channel",
    argument: "channel_id",
    absent: "own",
    needs,
    ...(speaks === undefined ? {} : { speaks }),
  },
});

/** A server that asks for two-factor authentication, where everybody holds Manage Threads. */
function guarded(targets: TargetSpecs, { vouched = false, type = ChannelType.PrivateThread as number } = {}) {
  const made = bench([toolThat(() => "ran", { targets })], { policy: { moderatorsUse2fa: vouched } });
  made.facts.requiresMfa = true;
  made.facts.everyone = reading | SendMessagesInThreads | ManageThreads;
  const state = { ownerId: null, isArchived: false, isLocked: true, isInvitable: false };
  made.facts.channelFacts.set(thread, channel(thread, { type, parentId: ids.general, thread: state }));
  const ask = () => call(made.registry, { actor: ana, input: { channel_id: thread } });
  return { ...made, ask };
}

describe("where a server asks for two-factor authentication, what takes it does not count unseen", () => {
  test("private threads are seen by their members, not by whoever manages threads", async () => {
    const gate = guarded(atThread(reading));
    expect(await gate.ask()).toMatchObject({ kind: "refused", code: "not_found" });
    gate.facts.threadMembers.add(`${thread} ${ids.ana}`);
    expect(await gate.ask()).toMatchObject({ kind: "done" });
    expect(await guarded(atThread(reading), { vouched: true }).ask()).toMatchObject({ kind: "done" });
  });

  test("they flow to nobody on that ground either", async () => {
    const { facts } = guarded(atThread(reading));
    const audience = { kind: "user", guildId: ids.guild, userId: ids.ana } as const;
    const restricted = (moderatorsUse2fa: boolean) => {
      const policies = createPolicies({ ...allOn, moderatorsUse2fa });
      const flow = createFlow({ facts, policies, now: Date.now });
      return flow.restricted(audience, [`channel:${thread}`], new AbortController().signal);
    };
    expect(await restricted(false)).toEqual([`channel:${thread}`]);
    expect(await restricted(true)).toEqual([]);
  });

  test("locked threads are closed to who would write there by it", async () => {
    const speaking = atThread(SendMessagesInThreads, true);
    const type = ChannelType.PublicThread;
    expect(await guarded(speaking, { type }).ask()).toMatchObject({
      kind: "refused",
      text: expect.stringContaining("which is locked"),
    });
    expect(await guarded(speaking, { type, vouched: true }).ask()).toMatchObject({ kind: "done" });
  });

  test("it is not asked of the bot, whose owner answers for it", async () => {
    const gate = guarded(atThread(ManageThreads), { type: ChannelType.PublicThread });
    const refused = await gate.ask();
    expect(refused.text).toContain("two-factor authentication of whoever uses Manage Threads");
    const bot = { kind: "bot", userId: ids.bot, guildId: ids.guild, channelId: ids.general } as const;
    expect(await call(gate.registry, { actor: bot, input: { channel_id: thread } })).toMatchObject({
      kind: "done",
    });
  });

  test("a check that asks for a standing alone goes by it", async () => {
    const facts = new Facts();
    facts.requiresMfa = true;
    facts.everyone = reading | PermissionFlagsBits.ManageRoles;
    const tool = toolThat(() => "ran", {
      targets: atThread(reading),
      check: async (_input, _places, authority) => {
        await authority.assertHoldsAll(PermissionFlagsBits.ManageRoles);
      },
    });
    const made = bench([tool], { facts });
    expect(await call(made.registry, { actor: ana, input: {} })).toMatchObject({ kind: "refused" });
  });
});
