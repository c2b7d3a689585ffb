import { describe, expect, test } from "bun:test";
import { ChannelType, OverwriteType, PermissionFlagsBits } from "discord-api-types/v10";
import type { AppError } from "../../../src/errors.ts";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import { failure, plainly, type RestSite, signal, startRestSite } from "./site.ts";

const { channels, users, roles, guildId } = DEMO;
const nobody = "1212912186163299999";
const dayMs = 86_400_000;

interface Case {
  readonly name: string;
  readonly run: (site: RestSite) => Promise<unknown>;
  readonly code: AppError["code"];
  readonly discordCode: number;
  /** What the sentence says to do, or names. */
  readonly says: string;
}

/** Each as the simulated Discord really answers it. */
const cases: readonly Case[] = [
  {
    name: "a channel that does not exist",
    run: ({ writer }) => writer.createMessage(nobody, { content: "x" }, plainly),
    code: "not_found",
    discordCode: 10_003,
    says: "no such channel",
  },
  {
    name: "a message that does not exist",
    run: ({ writer }) => writer.deleteMessage(channels.general, nobody, plainly),
    code: "not_found",
    discordCode: 10_008,
    says: "no such message",
  },
  {
    name: "a user who is no member",
    run: ({ writer, simulator }) => {
      simulator.changes.members.remove(guildId, users.ben);
      return writer.kickMember(guildId, users.ben, plainly);
    },
    code: "not_found",
    discordCode: 10_007,
    says: "not a member",
  },
  {
    name: "a user who does not exist",
    run: ({ writer }) => writer.banUser(guildId, nobody, 0, plainly),
    code: "not_found",
    discordCode: 10_013,
    says: "no such user",
  },
  {
    name: "a role that does not exist",
    run: ({ writer }) => writer.giveRole(guildId, users.ben, nobody, plainly),
    code: "not_found",
    discordCode: 10_011,
    says: "no such role",
  },
  {
    name: "an overwrite that does not exist",
    run: ({ writer }) => writer.deleteOverwrite(channels.general, users.ana, plainly),
    code: "not_found",
    discordCode: 10_009,
    says: "no permissions set",
  },
  {
    name: "an emoji that does not exist",
    run: async ({ writer, simulator }) => {
      const { id } = simulator.say({ userId: users.ana, channelId: channels.general, content: "x" });
      await writer.addReaction(channels.general, id, `gone:${nobody}`, plainly);
    },
    code: "not_found",
    discordCode: 10_014,
    says: "name:id",
  },
  {
    name: "a ban that does not exist",
    run: ({ writer }) => writer.unbanUser(guildId, users.ben, plainly),
    code: "not_found",
    discordCode: 10_026,
    says: "not banned",
  },
  {
    name: "a channel that the bot cannot see",
    run: ({ writer, simulator }) => {
      simulator.changes.channels.removeOverwrite(channels.staff, DEMO.botId);
      return writer.createMessage(channels.staff, { content: "x" }, plainly);
    },
    code: "permission_denied",
    discordCode: 50_001,
    says: "not allowed to reach",
  },
  {
    name: "a member above the bot",
    run: ({ writer }) => writer.kickMember(guildId, users.moderator, plainly),
    code: "permission_denied",
    discordCode: 50_013,
    says: "highest role",
  },
  {
    name: "a message of somebody else",
    run: async ({ writer, simulator }) => {
      const { id } = simulator.say({ userId: users.ana, channelId: channels.general, content: "x" });
      await writer.editMessage(channels.general, id, { content: "y" }, plainly);
    },
    code: "permission_denied",
    discordCode: 50_005,
    says: "that the bot wrote",
  },
  {
    name: "somebody who takes no direct messages",
    run: async ({ writer, simulator }) => {
      simulator.world.closedToDirectMessages.add(users.ana);
      const { id } = await writer.openDirectMessage(users.ana, plainly);
      await writer.createMessage(id, { content: "x" }, plainly);
    },
    code: "permission_denied",
    discordCode: 50_007,
    says: "privacy settings",
  },
  {
    name: "a category",
    run: ({ writer }) => writer.createMessage(channels.category, { content: "x" }, plainly),
    code: "discord_error",
    discordCode: 50_008,
    says: "of that kind",
  },
  {
    name: "messages that are too old for it",
    run: ({ writer, simulator }) => {
      const { world } = simulator;
      const old = (BigInt(world.now() - 15 * dayMs - 1_420_070_400_000) << 22n).toString();
      return writer.bulkDeleteMessages(channels.general, [old, world.ids.next()], plainly);
    },
    code: "discord_error",
    discordCode: 50_034,
    says: "one by one",
  },
  {
    name: "an archived thread",
    run: ({ writer }) => writer.addThreadMember(channels.archivedThread, users.ana, plainly),
    code: "discord_error",
    discordCode: 50_083,
    says: "unarchive it",
  },
  {
    name: "a locked thread, without Manage Threads",
    run: async ({ writer, simulator }) => {
      await writer.editChannel(channels.thread, { locked: true }, plainly);
      const deny = PermissionFlagsBits.ManageThreads;
      simulator.changes.channels.setOverwrite(channels.general, { id: DEMO.botId, type: "member", deny });
      await writer.createMessage(channels.thread, { content: "x" }, plainly);
    },
    code: "permission_denied",
    discordCode: 160_005,
    says: "Manage Threads",
  },
  {
    name: "a message that has a thread",
    run: async ({ writer, simulator }) => {
      const { id } = simulator.say({ userId: users.ana, channelId: channels.general, content: "x" });
      await writer.createThread(channels.general, { name: "one" }, id, plainly);
      await writer.createThread(channels.general, { name: "two" }, id, plainly);
    },
    code: "discord_error",
    discordCode: 160_004,
    says: "has a thread already",
  },
  {
    name: "two channels moved to another category at once",
    run: ({ writer }) =>
      writer.moveChannels(
        guildId,
        [channels.general, channels.help].map((id) => ({ id, parent_id: null })),
        plainly,
      ),
    code: "discord_error",
    discordCode: 40_009,
    says: "Only one channel",
  },
  {
    name: "a pin too many",
    run: async ({ writer, simulator }) => {
      const said = (content: string) =>
        simulator.say({ userId: users.ana, channelId: channels.help, content });
      for (let n = 0; n < 250; n += 1) simulator.world.messages.replace({ ...said(`${n}`), pinned: true });
      await writer.pinMessage(channels.help, said("one more").id, plainly);
    },
    code: "discord_error",
    discordCode: 30_003,
    says: "unpin a message first",
  },
  {
    name: "a role too many",
    run: async ({ writer, simulator }) => {
      const { size } = simulator.world.guild(guildId).roles;
      for (let n = size; n < 250; n += 1)
        simulator.changes.guilds.addRole(guildId, { name: `${n}`, permissions: 0n });
      await writer.createRole(guildId, { name: "one more" }, plainly);
    },
    code: "discord_error",
    discordCode: 30_005,
    says: "250",
  },
  {
    name: "a channel too many",
    run: async ({ writer, simulator }) => {
      const { size } = simulator.world.guild(guildId).channels;
      for (let n = size; n < 500; n += 1)
        simulator.changes.channels.add(guildId, { name: `${n}`, kind: "text" });
      await writer.createChannel(guildId, { name: "one-more", type: ChannelType.GuildText }, plainly);
    },
    code: "discord_error",
    discordCode: 30_013,
    says: "500",
  },
  {
    name: "a reaction too many",
    run: async ({ writer, simulator }) => {
      const { id } = simulator.say({ userId: users.ana, channelId: channels.general, content: "x" });
      for (let n = 0; n < 20; n += 1)
        simulator.people.react(users.ben, id, String.fromCodePoint(0x1f600 + n));
      await writer.addReaction(channels.general, id, "👍", plainly);
    },
    code: "discord_error",
    discordCode: 30_010,
    says: "20",
  },
];

describe("a change is refused, with what to do about it:", () => {
  for (const { name, run, code, discordCode, says } of cases) {
    test(name, async () => {
      await using site = await startRestSite();
      const error = await failure(run(site));
      expect(error.message).toContain(says);
      expect([error.code, error.data.discord_code]).toEqual([code, discordCode]);
    });
  }
});

describe("wrong fields", () => {
  test("are named, and what is wrong with them", async () => {
    await using site = await startRestSite();
    const body = { content: "x".repeat(2001), nonce: "n".repeat(26) };
    const error = await failure(site.writer.createMessage(channels.general, body, plainly));
    expect(error.code).toBe("discord_error");
    expect(error.message).toContain("content: Must be 2000 or fewer in length.");
    expect(error.message).toContain("nonce: Must be 25 or fewer in length.");
    expect(error.data).toEqual({ discord_code: 50_035, fields: ["content", "nonce"] });
  });

  test("deep within are named by their path", async () => {
    await using site = await startRestSite();
    const tags = [{ name: "fine" }, { name: "t".repeat(51) }];
    const error = await failure(site.writer.editChannel(channels.forum, { available_tags: tags }, plainly));
    expect(error.data.fields).toEqual(["available_tags.1.name"]);
  });

  test("are bounded, however many there are and whatever they say", async () => {
    await using site = await startRestSite();
    const wrong = { _errors: [{ code: "X", message: "m".repeat(1000) }, { code: "Y" }] };
    const errors = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`field_${n}`, wrong]));
    const deep = Array.from({ length: 50 }).reduce<object>((inner) => ({ a: inner }), wrong);
    for (const tree of [errors, { deep }, { odd: { _errors: "none" } }, "nothing", null]) {
      const body = { code: 50_035, message: "Invalid Form Body", errors: tree };
      site.simulator.faults.rest({ method: "POST", respond: 400, body });
      const error = await failure(site.writer.createMessage(channels.general, { content: "x" }, plainly));
      expect(error.code).toBe("discord_error");
      expect(error.message.length).toBeLessThan(700);
    }
  });
});

test("a code that is not known is told as it is, by its status", async () => {
  await using site = await startRestSite();
  const told = async (status: number, body: object) => {
    site.simulator.faults.rest({ respond: status, body });
    return (await failure(site.reader.user(users.ana, signal))).code;
  };
  expect(await told(404, { code: 99_999, message: "?" })).toBe("not_found");
  expect(await told(403, { code: 99_999, message: "?" })).toBe("permission_denied");
  expect(await told(409, { code: 99_999, message: "?" })).toBe("discord_error");
  expect(await told(400, { message: "?" })).toBe("discord_error");
});

test("the bot passes on no permission that it does not have itself", async () => {
  await using site = await startRestSite();
  const { writer } = site;
  const all = String(PermissionFlagsBits.Administrator);
  const role = await failure(writer.createRole(guildId, { permissions: all }, plainly));
  const overwrite = { type: OverwriteType.Role, allow: String(PermissionFlagsBits.ManageWebhooks) };
  const place = await failure(writer.setOverwrite(channels.general, roles.crew, overwrite, plainly));
  for (const error of [role, place]) expect(error.data.discord_code).toBe(50_013);
});
