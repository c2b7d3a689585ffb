import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type APIMessage, ComponentType, PermissionFlagsBits } from "discord-api-types/v10";
import { askService } from "../../src/control/control.ts";
import { readAuditPage } from "../../src/operations/audit.ts";
import { toolUse } from "../../src/simulator/claude/reply.ts";
import { Service, type ServiceOptions } from "./service.ts";
import { botId, channels, guildId, mention, newest, results, roles, users, words } from "./surroundings.ts";

setDefaultTimeout(20_000);

const secret = "Keys to the boathouse are with Olive.";
const { BanMembers, ManageRoles } = PermissionFlagsBits;

let service: Service;
async function serve(options?: ServiceOptions): Promise<Service> {
  service = await Service.start({ ...options, env: { TOOLS: "all", ...options?.env } });
  const moderator = service.discord.world.guilds.get(guildId)?.roles.get(roles.moderator);
  const permissions = String(BigInt(moderator?.permissions ?? 0) | BanMembers | ManageRoles);
  service.discord.changes.guilds.updateRole(guildId, roles.moderator, { permissions });
  return service;
}
afterEach(() => expect(service.contract.violations).toEqual([]));

const mika = { userId: users.moderator };
const ana = { userId: users.ana };

interface Button {
  readonly label: string;
  readonly customId: string;
}

function buttons({ components = [] }: APIMessage): readonly Button[] {
  return components.flatMap((row) =>
    row.type === ComponentType.ActionRow
      ? row.components.flatMap((part) =>
          part.type === ComponentType.Button && "custom_id" in part
            ? [{ label: part.label ?? "", customId: part.custom_id }]
            : [],
        )
      : [],
  );
}

/** The bot's message with buttons that replies to that one. */
const questionTo = ({ id }: APIMessage): Promise<APIMessage> =>
  service.discord.waitForMessage(
    (one) => one.author.id === botId && one.message_reference?.message_id === id && buttons(one).length > 0,
    { timeoutMs: 15_000 },
  );

/** The bot's reply to it that is no question. */
const answerTo = ({ id }: APIMessage): Promise<APIMessage> =>
  service.discord.waitForMessage(
    (one) =>
      one.author.id === botId &&
      one.message_reference?.message_id === id &&
      buttons(one).length === 0 &&
      !one.content.includes("**"),
    { timeoutMs: 15_000 },
  );

function press(message: APIMessage, label: string, userId: string) {
  const button = buttons(message).find((one) => one.label === label);
  if (button === undefined) throw new Error(`There is no button ${label}.`);
  return service.discord.interact.press({ userId, messageId: message.id, customId: button.customId });
}

/** An answer to a pressed button that only who pressed it can see; 64 is its flag. */
const hiddenAnswer = (words: string) =>
  service.discord.waitForRequest(
    ({ path, body }) => path.endsWith("/callback") && JSON.stringify(body).includes(words),
    { timeoutMs: 15_000 },
  );

const verdictOf = ({ id }: APIMessage, word: string): Promise<APIMessage> =>
  service.discord.waitForMessage((one) => one.id === id && one.content.includes(word), { timeoutMs: 15_000 });

async function auditOf(userId: string): Promise<string[]> {
  const answer = await askService(service.config.dataDir, "audit_list", { limit: 50, actor_user_id: userId });
  if (answer === null) throw new Error("The service does not run.");
  return readAuditPage(answer.result)
    .toReversed()
    .map(({ tool_name, verdict, reason }) =>
      [tool_name, verdict, ...(reason === null ? [] : [reason])].join(" "),
    );
}

describe("a moderator and a newcomer ask the same in the same channel", () => {
  test("for a private channel: one is asked before its words go public, the other is told of no such channel", async () => {
    await using at = await serve();
    const reading = [toolUse("discord_message_history", { channel_id: "#staff" })];
    at.claude.script(reading, "Olive has the keys.");
    const asked = at.say(`${mention} who has the keys?`, mika);
    const question = await questionTo(asked);
    expect(question.channel_id).toBe(channels.general);
    expect(buttons(question).map(({ label }) => label)).toEqual(["Post it here", "Send it to me"]);
    expect(question.content).not.toMatch(/staff|Olive|keys/i);
    expect(words(at.asked[1] ?? { system: [], messages: [] })).toContain(secret);

    // Nobody else decides, not even the owner.
    press(question, "Post it here", users.owner);
    await hiddenAnswer("64");
    expect(at.posted().some(({ content }) => content.includes("Olive has"))).toBe(false);

    press(question, "Post it here", users.moderator);
    expect((await answerTo(asked)).content).toBe("Olive has the keys.");

    at.claude.script(reading, "I cannot see such a channel.");
    expect((await answerTo(at.say(`${mention} who has the keys?`, ana))).content).toBe(
      "I cannot see such a channel.",
    );
    const [refusal] = results(at.asked.at(-1));
    expect(refusal?.is_error).toBe(true);
    expect(refusal?.content).toBe("There is no channel #staff that can be seen from here.");
    expect(await auditOf(users.moderator)).toEqual(["discord_message_history done"]);
    expect(await auditOf(users.ana)).toEqual(["discord_message_history refused not_found"]);
  });

  test("or gets it in a direct message, and nothing of it is in the channel, then or later", async () => {
    await using at = await serve();
    at.claude.script(
      [toolUse("discord_message_history", { channel_id: "#staff" })],
      "The boathouse: ask Olive.",
      "We spoke of the weather.",
    );
    const asked = at.say(`${mention} who has the keys?`, mika);
    press(await questionTo(asked), "Send it to me", users.moderator);
    const direct = at.discord.openDirectMessage(users.moderator);
    const sent = await at.discord.waitForBotMessage({ channelId: direct, timeoutMs: 15_000 });
    expect(sent.content).toBe("The boathouse: ask Olive.");
    expect((await answerTo(asked)).content).toContain("direct message");

    // In a later turn the model itself does not have it any more.
    await at.ask(`${mention} what did we speak of?`, mika);
    const later = words(at.asked.at(-1) ?? { system: [], messages: [] });
    expect(later).toContain("withheld here");
    expect(later).not.toMatch(/Olive|boathouse/);
    for (const { content } of at.posted()) expect(content).not.toMatch(/Olive|boathouse/);
  });

  test("for a ban: one approves it and it is done, the other is refused", async () => {
    await using at = await serve();
    const ban = [toolUse("discord_member_ban", { user_id: "@ben", reason: "mutiny" })];
    at.claude.script(ban, "That is beyond you.");
    await answerTo(at.say(`${mention} ban ben`, ana));
    expect(results(at.asked.at(-1))[0]?.content).toContain("@Ana cannot Ban Members in Harbour");

    at.claude.script(ban, "Ben is banned.");
    const asked = at.say(`${mention} ban ben`, mika);
    const question = await questionTo(asked);
    expect(question.content.replaceAll("\\", "")).toContain("Ban @Benny");
    // The newcomer could not do it, and so cannot allow it.
    press(question, "Approve", users.ana);
    await hiddenAnswer("Ban Members");
    expect(at.discord.world.guilds.get(guildId)?.banned.has(users.ben)).toBe(false);
    press(question, "Approve", users.owner);
    expect((await answerTo(asked)).content).toBe("Ben is banned.");
    expect((await verdictOf(question, "Approved")).content).toContain(`<@${users.owner}>`);
    expect(at.discord.world.guilds.get(guildId)?.banned.has(users.ben)).toBe(true);
    const entry = at.discord.world.guilds.get(guildId)?.auditLog.at(-1);
    expect(entry?.reason).toBe(`For @Mika (${users.moderator}): mutiny`);
    expect(await auditOf(users.moderator)).toEqual([
      "discord_member_ban asked approval_required",
      "discord_member_ban done",
    ]);
    expect(await auditOf(users.ana)).toEqual(["discord_member_ban refused permission_denied"]);
  });

  test("for a role: denied by a button it is not given, and the model hears who said no", async () => {
    await using at = await serve();
    at.claude.script([toolUse("discord_role_give", { user_id: "@ben", role_id: "Muted" })], "As you wish.");
    const asked = at.say(`${mention} mute ben`, mika);
    press(await questionTo(asked), "Deny", users.moderator);
    expect((await answerTo(asked)).content).toBe("As you wish.");
    expect(results(at.asked.at(-1))[0]).toMatchObject({ is_error: true });
    expect(at.discord.world.guilds.get(guildId)?.members.get(users.ben)?.roles).toEqual([]);

    at.claude.script([toolUse("discord_role_give", { user_id: "@ben", role_id: "Muted" })], "No.");
    await answerTo(at.say(`${mention} mute ben`, ana));
    expect(results(at.asked.at(-1))[0]?.content).toContain("@Ana cannot Manage Roles");
  });

  test("for the channels: each gets those that they see", async () => {
    await using at = await serve({ env: { PRIVATE_ANSWERS: "direct" } });
    const list = [toolUse("discord_channels_list", {})];
    at.claude.script(list, "A few.");
    expect((await answerTo(at.say(`${mention} which channels are there?`, ana))).content).toBe("A few.");
    expect(newest(at.asked.at(-1))).not.toContain(channels.staff);
    at.claude.script(list, "A few, and staff.");
    const asked = at.say(`${mention} which channels are there?`, mika);
    // By this server's policy it is not asked but sent to them alone.
    expect((await answerTo(asked)).content).toContain("direct message");
    expect(newest(at.asked.at(-1))).toContain(channels.staff);
    const direct = at.discord.openDirectMessage(users.moderator);
    expect((await at.discord.waitForBotMessage({ channelId: direct })).content).toBe("A few, and staff.");
  });
});

describe("a question", () => {
  const ban = [toolUse("discord_member_ban", { user_id: "@ben" })];

  test("survives a restart", async () => {
    await using at = await serve();
    at.claude.script(ban);
    const asked = at.say(`${mention} ban ben`, mika);
    const question = await questionTo(asked);
    await at.restart();
    at.claude.script("Done after all.");
    press(question, "Approve", users.moderator);
    expect((await answerTo(asked)).content).toBe("Done after all.");
    expect(at.discord.world.guilds.get(guildId)?.banned.has(users.ben)).toBe(true);
  });

  test("is withdrawn by a new message, which is then answered", async () => {
    await using at = await serve();
    at.claude.script(ban, "Fine weather.");
    const question = await questionTo(at.say(`${mention} ban ben`, mika));
    expect((await answerTo(at.say(`${mention} how is the weather?`, mika))).content).toBe("Fine weather.");
    expect((await verdictOf(question, "Withdrawn")).components ?? []).toEqual([]);
    press(question, "Approve", users.moderator);
    await hiddenAnswer("64");
    expect(at.discord.world.guilds.get(guildId)?.banned.has(users.ben)).toBe(false);
  });

  test("is asked anew when what it is about has changed", async () => {
    await using at = await serve();
    at.claude.script(ban, "Done.");
    const asked = at.say(`${mention} ban ben`, mika);
    const first = await questionTo(asked);
    at.discord.changes.members.addRole(guildId, users.ben, roles.crew);
    press(first, "Approve", users.moderator);
    const second = await at.discord.waitForMessage(
      (one) =>
        one.id !== first.id && one.message_reference?.message_id === asked.id && buttons(one).length > 0,
    );
    expect(at.discord.world.guilds.get(guildId)?.banned.has(users.ben)).toBe(false);
    press(second, "Approve", users.moderator);
    expect((await answerTo(asked)).content).toBe("Done.");
    expect(at.discord.world.guilds.get(guildId)?.banned.has(users.ben)).toBe(true);
  });

  test("does not help when the permission was taken away between question and yes", async () => {
    await using at = await serve();
    at.claude.script(ban, "I may not.");
    const asked = at.say(`${mention} ban ben`, mika);
    const question = await questionTo(asked);
    at.discord.changes.members.removeRole(guildId, users.moderator, roles.moderator);
    press(question, "Approve", users.owner);
    expect((await answerTo(asked)).content).toBe("I may not.");
    expect(results(at.asked.at(-1))[0]?.content).toContain("@Mika cannot Ban Members");
    expect(at.discord.world.guilds.get(guildId)?.banned.has(users.ben)).toBe(false);
  });
});

test("a role that is taken away between two steps of one turn counts at the second", async () => {
  await using at = await serve();
  const reading = toolUse("discord_message_history", { channel_id: channels.staff });
  let release = () => {};
  at.claude.script(
    () => {
      release = at.claude.hold();
      return [reading];
    },
    [reading],
    "Now I cannot.",
  );
  const asked = at.say(`${mention} read staff twice`, mika);
  await at.untilAsked(2);
  at.discord.changes.members.removeRole(guildId, users.moderator, roles.moderator);
  // Events come in order: with this answer the change before it has been heard of.
  await at.ask("!tools", ana);
  release();
  await at.untilAsked(3);
  expect(results(at.asked[1])[0]?.content).toContain(secret);
  expect(results(at.asked[2])[0]?.content).toContain("There is no channel");
  // The first result is still private.
  await questionTo(asked);
});
