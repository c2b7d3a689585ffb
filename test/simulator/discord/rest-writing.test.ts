import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ButtonStyle, ComponentType, MessageFlags, PermissionFlagsBits } from "discord-api-types/v10";
import { type DiscordSimulator, startDiscordSimulator } from "../../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import { api, refusal, restClient } from "./harness.ts";
import { attachContract, type Contract } from "./openapi-contract.ts";

const { channels, users, guildId, roles } = DEMO;
let simulator: DiscordSimulator;
let contract: Contract;
let time = Date.UTC(2026, 5, 1);

beforeAll(async () => {
  simulator = await startDiscordSimulator({ rateLimits: "off", now: () => time });
  // The last test asks for a route that is not there, and for one by the wrong method.
  contract = attachContract(simulator, [/users\/%E0$/, /\/typing$/]);
});
afterAll(async () => {
  await simulator[Symbol.asyncDispose]();
  expect(contract.violations).toEqual([]);
  expect(contract.checked).toBeGreaterThan(30);
});

describe("messages", () => {
  test("are answered, edited and deleted", async () => {
    const { channels: of } = api(simulator);
    const asked = simulator.say({ userId: users.ben, channelId: channels.general, content: "anyone?" });
    const answer = await of.createMessage(channels.general, {
      content: "Me",
      embeds: [{ title: "Tide", description: "High" }],
      message_reference: { message_id: asked.id },
      allowed_mentions: { parse: [], replied_user: true },
    });
    expect(answer).toMatchObject({ type: 19, mentions: [{ id: users.ben }], embeds: [{ title: "Tide" }] });
    const edited = await of.editMessage(channels.general, answer.id, { content: "Not me" });
    expect(edited).toMatchObject({ content: "Not me", embeds: [{ title: "Tide" }] });
    expect(edited.edited_timestamp).not.toBeNull();
    expect(await refusal(of.editMessage(channels.general, asked.id, { content: "x" }))).toMatchObject({
      code: 50005,
    });
    await of.deleteMessage(channels.general, answer.id);
    expect(await refusal(of.getMessage(channels.general, answer.id))).toMatchObject({ code: 10008 });
    const many = [1, 2, 3].map(
      (n) => simulator.say({ userId: users.ana, channelId: channels.general, content: `${n}` }).id,
    );
    await of.bulkDeleteMessages(channels.general, many);
    expect(await refusal(of.getMessage(channels.general, many[0] ?? ""))).toMatchObject({ code: 10008 });
  });

  test("with too much, or nothing, in them are refused field by field", async () => {
    const { channels: of } = api(simulator);
    const error = await refusal(
      of.createMessage(channels.general, { content: "x".repeat(2001), nonce: "n".repeat(26) }),
    );
    expect(error.rawError).toMatchObject({
      code: 50035,
      errors: {
        content: { _errors: [{ code: "BASE_TYPE_MAX_LENGTH", message: "Must be 2000 or fewer in length." }] },
        nonce: { _errors: [{ code: "BASE_TYPE_MAX_LENGTH" }] },
      },
    });
    expect((await of.createMessage(channels.general, { content: "🌊".repeat(2000) })).content).toHaveLength(
      4000,
    );
    expect(await refusal(of.createMessage(channels.general, { content: " " }))).toMatchObject({
      code: 50006,
    });
    const toNobody = of.createMessage(channels.general, {
      content: "x",
      message_reference: { message_id: "1" },
    });
    expect((await refusal(toNobody)).rawError).toMatchObject({
      errors: { message_reference: { _errors: [{ code: "REPLIES_UNKNOWN_MESSAGE" }] } },
    });
    const anyway = await of.createMessage(channels.general, {
      content: "x",
      message_reference: { message_id: "1", fail_if_not_exists: false },
    });
    expect(anyway.message_reference).toBeUndefined();
  });

  test("mention only whom they may", async () => {
    const { channels: of } = api(simulator);
    const content = `<@${users.ana}> <@!${users.ben}> <@&${roles.crew}> <@&${roles.moderator}> @everyone`;
    const loud = await of.createMessage(channels.general, { content });
    expect(loud).toMatchObject({ mentions: [{ id: users.ana }, { id: users.ben }], mention_everyone: true });
    const quiet = await of.createMessage(channels.general, {
      content,
      allowed_mentions: { parse: [], users: [users.ben] },
    });
    expect(quiet).toMatchObject({
      mentions: [{ id: users.ben }],
      mention_roles: [],
      mention_everyone: false,
    });
    const ofBen = simulator.say({ userId: users.ben, channelId: channels.general, content });
    expect(ofBen).toMatchObject({ mention_roles: [roles.crew], mention_everyone: false });
    const both = of.createMessage(channels.general, {
      content,
      allowed_mentions: { parse: ["users" as never], users: [users.ben] },
    });
    expect(await refusal(both)).toMatchObject({ code: 50035 });
  });

  test("of one nonce are made once in two minutes, then again", async () => {
    const { channels: of } = api(simulator);
    const post = () =>
      of.createMessage(channels.help, { content: "once", nonce: "abc", enforce_nonce: true });
    const first = await post();
    expect(first.nonce).toBe("abc");
    time += 119_000;
    expect((await post()).id).toBe(first.id);
    time += 2000;
    expect((await post()).id).not.toBe(first.id);
    const unforced = { content: "twice", nonce: "def" };
    expect((await of.createMessage(channels.help, unforced)).id).not.toBe(
      (await of.createMessage(channels.help, unforced)).id,
    );
  });

  test("take reactions, with emojis encoded in the path", async () => {
    const { channels: of } = api(simulator);
    const { id } = simulator.say({ userId: users.ana, channelId: channels.general, content: "like this" });
    await of.addMessageReaction(channels.general, id, "👍");
    await of.addMessageReaction(channels.general, id, `anchor_up:${DEMO.emojiId}`);
    simulator.people.react(users.ben, id, "👍");
    expect((await of.getMessageReactions(channels.general, id, "👍")).map((user) => user.id).sort()).toEqual(
      [DEMO.botId, users.ben].sort(),
    );
    expect((await of.getMessage(channels.general, id)).reactions).toHaveLength(2);
    await of.deleteOwnMessageReaction(channels.general, id, "👍");
    await of.deleteUserMessageReaction(channels.general, id, "👍", users.ben);
    expect((await of.getMessage(channels.general, id)).reactions).toHaveLength(1);
    expect(await refusal(of.addMessageReaction(channels.general, id, "nonsense"))).toMatchObject({
      code: 10014,
    });
  });

  test("go to people directly, unless they are closed to it", async () => {
    const { users: of, channels: ofChannels } = api(simulator);
    const direct = await of.createDM(users.ana);
    expect(direct.id).toBe(simulator.openDirectMessage(users.ana));
    expect((await ofChannels.createMessage(direct.id, { content: "psst" })).channel_id).toBe(direct.id);
    await ofChannels.showTyping(direct.id);
    await simulator.waitForTyping(direct.id);
    expect((await ofChannels.get(direct.id)).type).toBe(1);
    const closed = await of.createDM(users.ben);
    simulator.world.closedToDirectMessages.add(users.ben);
    expect(await refusal(ofChannels.createMessage(closed.id, { content: "psst" }))).toMatchObject({
      status: 403,
      code: 50007,
    });
    expect(await refusal(of.createDM("1"))).toMatchObject({ code: 50035 });
  });
});

describe("the bot's own permissions", () => {
  const pilot = { id: DEMO.botId, type: "member" as const };

  test("decide where it may read and write", async () => {
    const { channels: of } = api(simulator);
    const { id } = simulator.changes.channels.add(guildId, { name: "quiet", kind: "text" });
    const said = simulator.say({ userId: users.ana, channelId: id, content: "hush" });
    simulator.changes.channels.setOverwrite(id, { ...pilot, deny: PermissionFlagsBits.SendMessages });
    expect(await refusal(of.createMessage(id, { content: "x" }))).toMatchObject({ status: 403, code: 50013 });
    simulator.changes.channels.setOverwrite(id, { ...pilot, deny: PermissionFlagsBits.ReadMessageHistory });
    expect(await of.getMessages(id)).toEqual([]);
    expect(await refusal(of.getMessage(id, said.id))).toMatchObject({ code: 50001 });
    const reply = of.createMessage(id, { content: "x", message_reference: { message_id: said.id } });
    expect(await refusal(reply)).toMatchObject({ code: 160002 });
    simulator.changes.channels.setOverwrite(id, { ...pilot, deny: PermissionFlagsBits.ManageMessages });
    expect(await refusal(of.deleteMessage(id, said.id))).toMatchObject({ code: 50013 });
    simulator.changes.channels.setOverwrite(id, { ...pilot, deny: PermissionFlagsBits.ViewChannel });
    expect(await refusal(of.createMessage(id, { content: "x" }))).toMatchObject({ code: 50001 });
  });

  test("shrink in a time-out", async () => {
    const { channels: of } = api(simulator);
    simulator.changes.members.timeout(guildId, DEMO.botId, time + 60_000);
    expect(await refusal(of.createMessage(channels.general, { content: "x" }))).toMatchObject({
      code: 50013,
    });
    time += 61_000;
    await of.createMessage(channels.general, { content: "back" });
  });
});

describe("commands and interactions", () => {
  test("commands are registered globally and for a guild", async () => {
    const { applicationCommands: of } = api(simulator);
    const commands = [
      {
        name: "ask",
        description: "Ask",
        options: [{ type: 3, name: "text", description: "What", required: true }],
      },
    ];
    const [ask] = await of.bulkOverwriteGlobalCommands(DEMO.applicationId, commands);
    const [again] = await of.bulkOverwriteGlobalCommands(DEMO.applicationId, commands);
    expect(again?.id).toBe(ask?.id ?? "");
    expect(await of.getGlobalCommands(DEMO.applicationId)).toHaveLength(1);
    await of.bulkOverwriteGuildCommands(DEMO.applicationId, guildId, commands);
    expect((await of.getGuildCommands(DEMO.applicationId, guildId))[0]?.guild_id).toBe(guildId);
    const wrong = of.bulkOverwriteGlobalCommands(DEMO.applicationId, [{ name: "Ask Me", description: "x" }]);
    expect(await refusal(wrong)).toMatchObject({ code: 50035 });
  });

  test("a button is pressed, answered, edited and followed up", async () => {
    const { channels: of, interactions } = api(simulator);
    const message = await of.createMessage(channels.general, {
      content: "May I?",
      components: [
        {
          type: ComponentType.ActionRow,
          components: [
            { type: ComponentType.Button, style: ButtonStyle.Success, label: "Yes", custom_id: "yes" },
          ],
        },
      ],
    });
    const press = simulator.interact.press({ userId: users.ana, messageId: message.id, customId: "yes" });
    await interactions.deferMessageUpdate(press.id, press.token);
    expect(await refusal(interactions.deferMessageUpdate(press.id, press.token))).toMatchObject({
      code: 40060,
    });
    await interactions.editReply(DEMO.applicationId, press.token, { content: "Done", components: [] });
    expect(await of.getMessage(channels.general, message.id)).toMatchObject({
      content: "Done",
      components: [],
    });
    const hidden = await interactions.followUp(DEMO.applicationId, press.token, {
      content: "psst",
      flags: MessageFlags.Ephemeral,
    });
    expect(await refusal(of.getMessage(channels.general, hidden.id))).toMatchObject({ code: 10008 });
    expect((await simulator.waitForMessage((one) => one.id === hidden.id)).content).toBe("psst");
  });

  test("a command is answered in time, or not at all", async () => {
    const { interactions } = api(simulator);
    const ask = () =>
      simulator.interact.command({
        userId: users.ana,
        channelId: channels.general,
        name: "ask",
        options: { text: "hi" },
      });
    const open = ask();
    const answer = await interactions.reply(open.id, open.token, { content: "Hello", with_response: true });
    expect(answer).toMatchObject({
      interaction: { id: open.id },
      resource: { message: { content: "Hello" } },
    });
    expect((await interactions.getOriginalReply(DEMO.applicationId, open.token)).content).toBe("Hello");
    await interactions.deleteReply(DEMO.applicationId, open.token);
    const late = ask();
    time += 3001;
    expect(await refusal(interactions.reply(late.id, late.token, { content: "x" }))).toMatchObject({
      status: 404,
      code: 10062,
    });
    const deferred = ask();
    await interactions.defer(deferred.id, deferred.token);
    time += 15 * 60_000 + 1;
    expect(
      await refusal(interactions.editReply(DEMO.applicationId, deferred.token, { content: "x" })),
    ).toMatchObject({ code: 50027 });
  });
});

test("encoded paths mean the same as plain ones", async () => {
  const headers = { authorization: `Bot ${simulator.token}` };
  for (const me of ["@me", "%40me"]) {
    const answer = await fetch(`${simulator.apiUrl}/v10/users/${me}`, { headers });
    expect(((await answer.json()) as { id: string }).id).toBe(DEMO.botId);
  }
  expect((await fetch(`${simulator.apiUrl}/v10/users/%E0`, { headers })).status).toBe(400);
  expect(await refusal(restClient(simulator).put(`/channels/${channels.general}/typing`))).toMatchObject({
    status: 405,
  });
});

test("a command goes signed to an address of the application's own", async () => {
  const key = await crypto.subtle.importKey(
    "raw",
    Buffer.from(simulator.publicKey, "hex"),
    "Ed25519",
    false,
    ["verify"],
  );
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const signature = Buffer.from(request.headers.get("x-signature-ed25519") ?? "", "hex");
      const signed = Buffer.from(
        `${request.headers.get("x-signature-timestamp")}${await request.clone().text()}`,
      );
      if (!(await crypto.subtle.verify("Ed25519", key, signature, signed)))
        return new Response(null, { status: 401 });
      const { type } = (await request.json()) as { type: number };
      return Response.json({ type: type === 1 ? 1 : 5 });
    },
  });
  const url = server.url.href;
  expect(await (await simulator.interact.ping(url)).json()).toEqual({ type: 1 });
  expect((await simulator.interact.ping(url, true)).status).toBe(401);
  const command = { userId: users.ana, channelId: channels.general, name: "ask" };
  const { open, response } = await simulator.interact.commandTo(url, command);
  expect(response.status).toBe(200);
  const { interactions } = api(simulator);
  expect((await interactions.followUp(DEMO.applicationId, open.token, { content: "later" })).content).toBe(
    "later",
  );
});
