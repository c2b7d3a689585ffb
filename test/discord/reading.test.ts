import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { createNoDiscord } from "../../src/discord/no-discord.ts";
import { botId, channels, DEMO, guildId, mention, Rig, roles, users } from "./harness.ts";

const { signal } = new AbortController();
const nobody = "1212912186163299999";

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no error",
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
  );

describe("reading by REST", () => {
  test("users, members, channels, guilds, messages, search", async () => {
    await using rig = await Rig.start();
    const { reader } = rig.discord;
    expect((await reader.user(users.ana, signal)).username).toBe("ana");
    expect((await reader.member(guildId, users.ben, signal)).nick).toBe("Benny");
    expect((await reader.channel(channels.general, signal)).id).toBe(channels.general);
    expect((await reader.guild(guildId, signal)).approximate_member_count).toBe(6);
    expect((await reader.guildChannels(guildId, signal)).map((channel) => channel.id)).toContain(
      channels.staff,
    );
    expect((await reader.guildRoles(guildId, signal)).map((role) => role.id)).toContain(roles.crew);
    expect((await reader.guildEmojis(guildId, signal)).map((emoji) => emoji.name)).toEqual(["anchor_up"]);
    const page = await reader.messages(channels.general, { limit: 2 }, signal);
    expect(page).toHaveLength(2);
    const search = {
      channelIds: [channels.general, channels.help],
      content: "regatta",
      limit: 25,
      offset: 0,
    };
    const found = await reader.searchMessages(guildId, search, signal);
    expect(found.total).toBe(2);
    expect(found.messages.map((message) => message.author.id).toSorted()).toEqual(
      [users.ana, users.ben].toSorted(),
    );
  });

  test("failures, each with its code", async () => {
    await using rig = await Rig.start();
    const { reader } = rig.discord;
    expect(await code(reader.user(nobody, signal))).toBe("not_found");
    expect(await code(reader.member(guildId, nobody, signal))).toBe("not_found");
    expect(await code(reader.channel(nobody, signal))).toBe("not_found");
    const fault = (respond: number | "timeout" | "reset", more: object = {}) =>
      rig.sim.faults.rest({ path: /^\/users\/\d+$/, respond, times: 2, ...more });
    const read = (within: AbortSignal = signal) => code(reader.user(users.ana, within));
    fault(503);
    expect(await read()).toBe("discord_unavailable");
    rig.sim.faults.clear();
    fault("reset", { times: 5 });
    expect(await read()).toBe("discord_unavailable");
    rig.sim.faults.clear();
    fault(403, { body: { message: "Missing Access", code: 50001 } });
    expect(await read()).toBe("permission_denied");
    rig.sim.faults.clear();
    fault(400, { body: { message: "Invalid", code: 50035 } });
    expect(await read()).toBe("discord_error");
    rig.sim.faults.clear();
    fault("timeout", { times: 5 });
    expect(await read(AbortSignal.timeout(30))).toBe("discord_unavailable");
  });

  test("a short rate limit is waited for, a long one is told with the time to wait", async () => {
    await using rig = await Rig.start();
    const { reader } = rig.discord;
    rig.sim.faults.rest({ path: /^\/users\/\d+$/, respond: 429, headers: { "retry-after": "0.1" } });
    expect((await reader.user(users.ana, signal)).username).toBe("ana");
    rig.sim.faults.rest({ path: /^\/users\/\d+$/, respond: 429, headers: { "retry-after": "600" } });
    const error = await reader.user(users.ben, signal).catch((one: unknown) => one);
    expect(error).toHaveProperty("code", "rate_limited");
    expect(error).toHaveProperty("retryAfterMs", 600_050);
  });

  test("a search index that is not ready", async () => {
    await using rig = await Rig.start();
    const body = {
      message: "Index not yet available. Try again later",
      code: 110_000,
      documents_indexed: 0,
      retry_after: 7,
    };
    rig.sim.faults.rest({ path: /search$/, respond: 202, body });
    const search = { channelIds: [], limit: 25, offset: 0 };
    const error = await rig.discord.reader
      .searchMessages(guildId, search, signal)
      .catch((one: unknown) => one);
    expect(error).toHaveProperty("retryAfterMs", 7000);
  });
});

describe("facts", () => {
  const reads = (rig: Rig) =>
    rig.sim.requests.filter(({ method, path }) => method === "GET" && /^\/(guilds|channels)\//.test(path))
      .length;
  const check = async (rig: Rig) => {
    const { facts } = rig.discord;
    const guild = await facts.guild(guildId, signal);
    expect(guild.ownerId).toBe(users.owner);
    expect(guild.roles.get(roles.moderator)?.name).toBe("Moderator");
    expect(guild.roles.get(roles.moderator)?.permissions).toBe(
      BigInt(rig.sim.world.guild(guildId).roles.get(roles.moderator)?.permissions ?? 0),
    );
    const staff = await facts.channel(channels.staff, signal);
    expect(staff.overwrites.find((one) => one.id === guildId)).toEqual({
      id: guildId,
      type: "role",
      allow: 0n,
      deny: PermissionFlagsBits.ViewChannel,
    });
    const thread = await facts.channel(channels.thread, signal);
    expect([thread.parentId, thread.guildId, thread.name]).toEqual([
      channels.general,
      guildId,
      "spring regatta",
    ]);
    expect((await facts.member(guildId, users.moderator, signal)).roleIds).toEqual([
      roles.moderator,
      roles.crew,
    ]);
  };

  test("come from the gateway without a request, and follow its events", async () => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("hello"));
    const before = reads(rig);
    await check(rig);
    // Only the member was read: it is not sent with the guild.
    expect(reads(rig) - before).toBe(1);
    rig.sim.changes.guilds.updateRole(guildId, roles.moderator, { name: "Keeper", permissions: "8" });
    rig.sim.changes.channels.update(channels.general, { name: "quay" });
    rig.sim.changes.channels.setOverwrite(channels.general, { id: roles.crew, type: "role", deny: 1024n });
    rig.sim.changes.members.removeRole(guildId, users.moderator, roles.crew);
    rig.sim.changes.guilds.update(guildId, { owner_id: users.ana });
    await rig.handled(rig.say("hello again"));
    const { facts } = rig.discord;
    const guild = await facts.guild(guildId, signal);
    expect([guild.ownerId, guild.roles.get(roles.moderator)?.permissions]).toEqual([users.ana, 8n]);
    const general = await facts.channel(channels.general, signal);
    expect([general.name, general.overwrites.length]).toEqual(["quay", 1]);
    expect((await facts.member(guildId, users.moderator, signal)).roleIds).toEqual([roles.moderator]);
    expect(reads(rig) - before).toBe(1);
  });

  test("are read by REST after a resume, kept from then on, and follow events", async () => {
    await using rig = await Rig.start();
    await rig.restart();
    expect(rig.sim.gatewayNotes.filter((note) => note.kind === "identify")).toHaveLength(1);
    await check(rig);
    const before = reads(rig);
    await check(rig);
    expect(reads(rig)).toBe(before);
    rig.sim.changes.guilds.updateRole(guildId, roles.crew, { name: "Deckhands" });
    await rig.handled(rig.say("hello"));
    expect((await rig.discord.facts.guild(guildId, signal)).roles.get(roles.crew)?.name).toBe("Deckhands");
    expect(reads(rig)).toBe(before);
  });

  test("are read anew each time while the gateway is not there", async () => {
    await using rig = await Rig.start();
    const release = rig.sim.faults.gateway.refuseConnections();
    const since = rig.sim.mark();
    rig.sim.faults.gateway.dropWithoutClose();
    await rig.sim.waitForGateway((note) => note.kind === "refused", { since });
    rig.sim.changes.members.removeRole(guildId, users.moderator, roles.crew);
    const before = reads(rig);
    const member = await rig.discord.facts.member(guildId, users.moderator, signal);
    expect(member.roleIds).toEqual([roles.moderator]);
    await rig.discord.facts.guild(guildId, signal);
    await rig.discord.facts.channel(channels.general, signal);
    expect(reads(rig) - before).toBe(3);
    release();
  });

  test("are not trusted once the shard has not been heard of for long", async () => {
    await using rig = await Rig.start({ timing: { trustMs: 0 } });
    const before = reads(rig);
    await rig.discord.facts.guild(guildId, signal);
    await rig.discord.facts.guild(guildId, signal);
    expect(reads(rig) - before).toBe(2);
  });

  test("are not waited for while Discord has not been reached", async () => {
    await using rig = await Rig.start({ timing: { identityMs: 20 } });
    await rig.end();
    rig.sim.faults.rest({ path: /users\/@me$/, respond: "timeout", times: 5 });
    rig.reopen();
    await rig.begin("started");
    expect(await code(rig.discord.facts.botUserId())).toBe("discord_unavailable");
  });

  test("of members are read each time without the members intent", async () => {
    await using rig = await Rig.start({ env: { DISCORD_INTENTS: "message_content" } });
    const { facts } = rig.discord;
    await facts.member(guildId, users.ana, signal);
    rig.sim.changes.members.addRole(guildId, users.ana, roles.moderator);
    expect((await facts.member(guildId, users.ana, signal)).roleIds).toContain(roles.moderator);
    const before = reads(rig);
    expect((await facts.member(guildId, botId, signal)).roleIds).toEqual([roles.bot]);
    expect(reads(rig)).toBe(before);
  });

  test("of direct messages, private threads and the bot", async () => {
    await using rig = await Rig.start();
    const { facts } = rig.discord;
    const direct = rig.sim.openDirectMessage(users.ben);
    expect(await facts.channel(direct, signal)).toMatchObject({ guildId: null, recipientIds: [users.ben] });
    expect(await facts.isThreadMember(channels.privateThread, users.moderator, signal)).toBe(true);
    expect(await facts.isThreadMember(channels.privateThread, users.ana, signal)).toBe(false);
    expect(await code(facts.isThreadMember(nobody, users.ana, signal))).toBe("not_found");
    expect(await facts.botUserId()).toBe(DEMO.botId);
    expect(await code(facts.channel(nobody, signal))).toBe("not_found");
  });
});

test("without a token everything that needs Discord says so", async () => {
  const none = createNoDiscord();
  await none.start();
  await none.ready;
  expect(await code(none.reader.user(users.ana, signal))).toBe("discord_unavailable");
  expect(await code(none.facts.guild(guildId, signal))).toBe("discord_unavailable");
  expect(none.status().state).toBe("off");
  expect(none.status().reason).toContain("DISCORD_TOKEN");
  await none.close({ resumable: true });
  expect(mention).toContain(botId);
});
