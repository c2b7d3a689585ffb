import { describe, expect, test } from "bun:test";
import { type GatewayDispatchPayload, GatewayOpcodes } from "discord-api-types/v10";
import { isPromised } from "../../src/discord/gateway/promised-dispatches.ts";
import { recordGateway } from "../fuzz/gateway-recording.ts";
import { channels, guildId, mention, Rig, users } from "./harness.ts";

const asDispatch = (t: string, d: unknown): GatewayDispatchPayload =>
  JSON.parse(JSON.stringify({ op: GatewayOpcodes.Dispatch, s: 1, t, d }));
const fits = (t: string, d: unknown): boolean => isPromised(asDispatch(t, d));

test("whatever a gateway sends to a client with every intent is as promised", async () => {
  const recorded = await recordGateway();
  expect(new Set(recorded.map(({ t }) => t)).size).toBeGreaterThan(20);
  expect(recorded.filter(({ t, d }) => !fits(t, d))).toEqual([]);
});

const ana = { id: users.ana, username: "ana" };
const role = {
  ...{ id: "5", name: "Crew", permissions: "8", position: 1, color: 0 },
  ...{ hoist: false, managed: false, mentionable: false },
};
const channel = { id: channels.general, type: 0, guild_id: guildId, name: "general" };
const thread = { ...channel, type: 11, thread_metadata: { archived: false, archive_timestamp: null } };
const limit = { opcode: 8, retry_after: 1, meta: { guild_id: guildId, nonce: "1" } };
const overwrite = { id: "5", type: 0, allow: "0", deny: "1024" };
const member = { user: ana, roles: ["5"], joined_at: "2026-01-01T00:00:00Z" };
const message = {
  ...{ id: "1", channel_id: "2", type: 0, author: ana, content: "Hello", edited_timestamp: null },
  ...{ mentions: [ana], mention_roles: [], attachments: [], embeds: [], timestamp: "2026-01-01T00:00:00Z" },
};
const attachment = { id: "6", filename: "map.png", size: 10, url: "https://cdn.discordapp.com/map.png" };
const guild = {
  ...{ id: guildId, name: "Harbour", owner_id: users.owner, mfa_level: 0, verification_level: 1 },
  ...{ roles: [role], channels: [channel], threads: [], members: [member] },
};

const damages: readonly (readonly [type: string, whole: object, damage: object])[] = [
  ["GUILD_ROLE_UPDATE", { guild_id: guildId, role }, { role: undefined }],
  ["GUILD_ROLE_UPDATE", { guild_id: guildId, role }, { role: { ...role, permissions: "undefined" } }],
  ["GUILD_ROLE_UPDATE", { guild_id: guildId, role }, { role: { ...role, permissions: "" } }],
  ["GUILD_ROLE_UPDATE", { guild_id: guildId, role }, { role: { ...role, permissions: "-1" } }],
  ["GUILD_ROLE_CREATE", { guild_id: guildId, role }, { role: { ...role, tags: { bot_id: 7 } } }],
  ["GUILD_ROLE_DELETE", { guild_id: guildId, role_id: "5" }, { role_id: ["5"] }],
  ["GUILD_CREATE", guild, { name: ["Harbour"] }],
  ["GUILD_CREATE", guild, { channels: [true] }],
  ["GUILD_CREATE", guild, { channels: [{ ...channel, last_message_id: "newest" }] }],
  ["GUILD_CREATE", guild, { roles: [null] }],
  ["GUILD_CREATE", guild, { members: [{ ...member, roles: [null] }] }],
  ["GUILD_CREATE", { id: guildId, unavailable: true }, { id: null }],
  ["GUILD_UPDATE", guild, { owner_id: "" }],
  ["GUILD_UPDATE", guild, { mfa_level: undefined }],
  ["CHANNEL_UPDATE", channel, { type: "12" }],
  ["CHANNEL_UPDATE", channel, { permission_overwrites: [null] }],
  ["CHANNEL_UPDATE", channel, { permission_overwrites: {} }],
  ["CHANNEL_UPDATE", channel, { permission_overwrites: [{ ...overwrite, type: 7 }] }],
  ["CHANNEL_UPDATE", channel, { permission_overwrites: [{ ...overwrite, deny: "" }] }],
  ["CHANNEL_UPDATE", channel, { name: undefined }],
  ["THREAD_UPDATE", thread, { thread_metadata: undefined }],
  ["THREAD_UPDATE", thread, { thread_metadata: [] }],
  ["THREAD_LIST_SYNC", { guild_id: guildId, threads: [channel] }, { channel_ids: [null] }],
  ["GUILD_MEMBER_UPDATE", { ...member, guild_id: guildId }, { nick: ["Ana"] }],
  ["GUILD_MEMBER_UPDATE", { ...member, guild_id: guildId }, { roles: "all" }],
  ["GUILD_MEMBER_UPDATE", { ...member, guild_id: guildId }, { communication_disabled_until: "soon" }],
  ["RATE_LIMITED", limit, { meta: null }],
  ["RATE_LIMITED", limit, { retry_after: "soon" }],
  ["MESSAGE_CREATE", message, { id: "one" }],
  ["MESSAGE_CREATE", message, { channel_id: null }],
  ["MESSAGE_CREATE", message, { author: null }],
  ["MESSAGE_CREATE", message, { content: { text: "Hello" } }],
  ["MESSAGE_CREATE", message, { mentions: "everyone" }],
  ["MESSAGE_CREATE", message, { mentions: [null] }],
  ["MESSAGE_CREATE", message, { guild_id: 7 }],
  ["MESSAGE_CREATE", message, { member: { roles: "all" } }],
  [
    "MESSAGE_CREATE",
    { ...message, attachments: [attachment] },
    { attachments: [{ ...attachment, size: "1" }] },
  ],
  ["MESSAGE_CREATE", { ...message, referenced_message: message }, { referenced_message: { id: "1" } }],
  ["MESSAGE_UPDATE", message, { author: null }],
  ["MESSAGE_UPDATE", { id: "1", channel_id: "2", embeds: [] }, { channel_id: undefined }],
  ["MESSAGE_DELETE_BULK", { channel_id: "2", ids: ["1"] }, { ids: [{}] }],
];

test.each(damages)("%s is as promised, and is not when it is damaged: %j, %j", (type, whole, damage) => {
  expect(fits(type, whole)).toBe(true);
  expect(fits(type, { ...whole, ...damage })).toBe(false);
  expect(fits(type, null)).toBe(false);
});

test.each(["__proto__", "toString", "NEW_EVENT"])(
  "nothing is promised of a type that is not known: %s",
  (type) => {
    expect(fits(type, null)).toBe(true);
  },
);

describe("what is not as promised", () => {
  test("makes the service forget the servers, which it then reads by REST", async () => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("a word, for the mark"));
    expect([...rig.discord.guildNames()]).toHaveLength(1);
    rig.sim.faults.gateway.deliver("CHANNEL_UPDATE", { ...channel, permission_overwrites: [null] });
    const reply = await rig.replyTo(rig.say(`${mention} still there?`, { channelId: channels.help }).id);
    expect(reply.content).toBe("You said: still there?");
    const read = rig.sim.requests.filter(({ path }) => path === `/guilds/${guildId}`);
    expect(read.length).toBeGreaterThan(0);
  });

  test("of a message says nothing of the servers", async () => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("a word, for the mark"));
    rig.sim.faults.gateway.deliver("MESSAGE_CREATE", { ...message, author: null });
    await rig.replyTo(rig.say(`${mention} still there?`, { channelId: channels.help }).id);
    expect([...rig.discord.guildNames()]).toHaveLength(1);
    expect(rig.sim.requests.filter(({ path }) => path === `/guilds/${guildId}`)).toEqual([]);
  });
});
