import { describe, expect, test } from "bun:test";
import {
  type APIChannel,
  type APIThreadChannel,
  ChannelFlags,
  GatewayDispatchEvents as Events,
  type GatewayDispatchPayload,
  GatewayOpcodes,
  GuildMemberFlags,
} from "discord-api-types/v10";
import { GuildState } from "../../src/discord/state/guild-state.ts";
import { memberFacts } from "../../src/discord/state/state-shapes.ts";
import { guildObject } from "../../src/simulator/discord/gateway-payloads.ts";
import { World } from "../../src/simulator/discord/world.ts";
import { DEMO, demoWorld } from "../../src/simulator/discord/world-seed.ts";

const { guildId, channels, users, roles, botId } = DEMO;

function known() {
  const world = new World(demoWorld(), Date.now);
  const guild = world.guild(guildId);
  const state = new GuildState();
  state.botUserId = botId;
  state.store({
    guild: guildObject(guild),
    channels: [...guild.channels.values(), ...guild.threads.values()],
  });
  const channelOf = (id: string): APIChannel => {
    const found = guild.channels.get(id) ?? guild.threads.get(id);
    if (found === undefined) throw new Error(`no channel ${id}`);
    return { ...found, guild_id: guildId };
  };
  const threadOf = (id: string): APIThreadChannel => {
    const found = guild.threads.get(id);
    if (found === undefined) throw new Error(`no thread ${id}`);
    return { ...found, guild_id: guildId };
  };
  return { state, guild, channelOf, threadOf };
}

let sequence = 0;
/** As the gateway sends it, but for what is not looked at. */
function dispatch(t: Events, d: object): GatewayDispatchPayload {
  return JSON.parse(JSON.stringify({ op: GatewayOpcodes.Dispatch, s: ++sequence, t, d }));
}

describe("what is kept of a guild", () => {
  test("its MFA and verification levels, which follow its updates", () => {
    const { state, guild } = known();
    expect(state.guild(guildId)).toMatchObject({ requiresMfa: false, verificationLevel: 1 });
    const changed = { ...guildObject(guild), mfa_level: 1, verification_level: 3, name: "Port" };
    state.apply(dispatch(Events.GuildUpdate, changed));
    expect(state.guild(guildId)).toMatchObject({ requiresMfa: true, verificationLevel: 3, name: "Port" });
  });

  test("which roles are managed", () => {
    const { state } = known();
    const managed = (id: string) => state.guild(guildId)?.roles.get(id)?.isManaged;
    expect([managed(roles.bot), managed(roles.crew)]).toEqual([true, false]);
  });

  test("of channels their position, slow mode and age restriction; equal overwrites are one object", () => {
    const { state, channelOf } = known();
    const random = channelOf(channels.random);
    expect(state.channel(channels.random)).toMatchObject({
      position: "position" in random ? random.position : -1,
      slowMode: 5,
      isAgeRestricted: false,
      thread: null,
    });
    state.apply(
      dispatch(Events.ChannelUpdate, { ...random, nsfw: true, position: 40, rate_limit_per_user: 0 }),
    );
    expect(state.channel(channels.random)).toMatchObject({
      position: 40,
      slowMode: 0,
      isAgeRestricted: true,
    });
  });

  test("overwrites, of which equal ones are one object", () => {
    const { state, channelOf } = known();
    const permission_overwrites = [{ id: roles.crew, type: 0, allow: "1024", deny: "0" }];
    for (const id of [channels.random, channels.help])
      state.apply(dispatch(Events.ChannelUpdate, { ...channelOf(id), permission_overwrites }));
    const [one, other] = [channels.random, channels.help].map((id) => state.channel(id)?.overwrites);
    expect(one).toEqual([{ id: roles.crew, type: "role", allow: 1024n, deny: 0n }]);
    expect(one).toBe(other);
  });

  test("of threads who made them, and whether they are locked and who may add people", () => {
    const { state, threadOf } = known();
    const thread = threadOf(channels.privateThread);
    expect(state.channel(thread.id)?.thread).toEqual({
      ownerId: users.moderator,
      isArchived: false,
      isLocked: false,
      isInvitable: thread.thread_metadata?.invitable ?? false,
    });
    const thread_metadata = { ...thread.thread_metadata, archived: false, locked: true, invitable: true };
    state.apply(dispatch(Events.ThreadUpdate, { ...thread, thread_metadata }));
    expect(state.channel(thread.id)?.thread).toMatchObject({ isLocked: true, isInvitable: true });
  });

  test("its channels without threads, and only its own", () => {
    const { state, guild } = known();
    const ids = (id: string) => state.channels(id).map((channel) => channel.id);
    expect(ids(guildId).toSorted()).toEqual([...guild.channels.keys()].toSorted());
    expect(ids("100000000000000009")).toEqual([]);
    state.apply(dispatch(Events.GuildDelete, { id: guildId }));
    expect(ids(guildId)).toEqual([]);
    expect(state.sizes).toMatchObject({ guilds: 0, channels: 0 });
  });
});

describe("what is forgotten of a guild", () => {
  test("a thread that is archived, and the threads of a channel that is deleted", () => {
    const { state, channelOf, threadOf } = known();
    const thread = threadOf(channels.thread);
    const archived = { ...thread, thread_metadata: { ...thread.thread_metadata, archived: true } };
    state.apply(dispatch(Events.ThreadUpdate, archived));
    expect(state.channel(thread.id)).toBeNull();
    state.apply(dispatch(Events.ThreadUpdate, thread));
    expect(state.channel(thread.id)).not.toBeNull();
    state.apply(dispatch(Events.ChannelDelete, channelOf(channels.general)));
    expect([channels.general, thread.id, channels.privateThread].map((id) => state.channel(id))).toEqual([
      null,
      null,
      null,
    ]);
    expect(state.channel(channels.help)).not.toBeNull();
  });

  test("threads that a list of all active ones does not hold, of the channels that it is about", () => {
    const { state, threadOf } = known();
    const other = { ...threadOf(channels.thread), id: "1212912186163200001", parent_id: channels.help };
    state.apply(dispatch(Events.ThreadCreate, other));
    const list = { guild_id: guildId, channel_ids: [channels.general], threads: [threadOf(channels.thread)] };
    state.apply(dispatch(Events.ThreadListSync, { ...list, members: [] }));
    expect(state.channel(channels.privateThread)).toBeNull();
    expect(state.channel(channels.thread)).not.toBeNull();
    expect(state.channel(other.id)).not.toBeNull();
    state.apply(dispatch(Events.ThreadListSync, { guild_id: guildId, threads: [], members: [] }));
    expect([channels.thread, other.id].map((id) => state.channel(id))).toEqual([null, null]);
    expect(state.channel(channels.general)).not.toBeNull();
  });

  test("a channel that the bot cannot see, whose name and overwrites are not the real ones, until it can", () => {
    const { state, channelOf } = known();
    const general = channelOf(channels.general);
    const everyone = { id: guildId, type: 0, allow: "0", deny: "1024" };
    const hidden = {
      ...general,
      name: "___hidden___",
      permission_overwrites: [everyone],
      flags: ChannelFlags.ChannelObfuscated,
    };
    state.apply(dispatch(Events.ChannelUpdate, hidden));
    expect(state.channel(general.id)).toBeNull();
    expect(state.channel(channels.thread)).toBeNull();
    expect(state.channels(guildId).map(({ id }) => id)).not.toContain(general.id);
    state.apply(dispatch(Events.ChannelUpdate, { ...general, name: "___hidden___" }));
    expect(state.channel(general.id)?.name).toBe("___hidden___");
  });
});

describe("what is known of a member", () => {
  test("since when they belong to it, and whether they have yet to agree to its rules", () => {
    const joined_at = "2024-03-01T00:00:00.000Z";
    expect(memberFacts(users.ana, { roles: [], joined_at, pending: true })).toMatchObject({
      joinedAt: Date.parse(joined_at),
      isPending: true,
    });
    expect(memberFacts(users.ana, { roles: [], pending: false })).toMatchObject({
      joinedAt: null,
      isPending: false,
    });
    const flags = GuildMemberFlags.BypassesVerification;
    expect(memberFacts(users.ana, { roles: [], pending: true, flags }).isPending).toBe(false);
  });
});

describe("watching for events", () => {
  const key = `guild:${guildId}`;
  const touch = (state: GuildState) =>
    state.apply(dispatch(Events.GuildRoleDelete, { guild_id: guildId, role_id: "1" }));

  test("tells one that came meanwhile from none", () => {
    const { state } = known();
    const quiet = state.watch(key);
    expect(quiet()).toBe(false);
    const disturbed = state.watch(key);
    touch(state);
    expect(disturbed()).toBe(true);
  });

  test("is not misled by another watch of the same thing that came and went", () => {
    const { state } = known();
    const first = state.watch(key);
    const second = state.watch(key);
    touch(state);
    second();
    state.watch(key);
    expect(first()).toBe(true);
  });

  test("takes a new session for an event", () => {
    const { state } = known();
    const hasChanged = state.watch(key);
    state.forgetShard(0, 1);
    expect(hasChanged()).toBe(true);
  });
});
