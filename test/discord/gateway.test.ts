import { describe, expect, test } from "bun:test";
import { ApplicationFlags } from "discord-api-types/v10";
import { identifyDelay, reconnectDelay } from "../../src/discord/gateway/identify-guard.ts";
import { SequenceTracker } from "../../src/discord/gateway/sequence.ts";
import { channels, DEMO, guildId, mention, Rig, users } from "./harness.ts";

const kinds = (rig: Rig): string[] => rig.sim.gatewayNotes.map((note) => note.kind);
const count = (rig: Rig, kind: string): number => kinds(rig).filter((one) => one === kind).length;

const guildWith = (channel: object) => ({
  ...{ id: guildId, name: "Harbour", owner_id: users.owner, roles: [], threads: [], members: [] },
  channels: [{ id: channels.general, type: 0, ...channel }],
});

describe("dispatches that make no sense", () => {
  test.each([
    ["a role without permissions", "GUILD_ROLE_UPDATE", { guild_id: guildId, role: { permissions: "x" } }],
    ["a server with channels that are none", "GUILD_CREATE", { id: guildId, channels: [true], threads: [] }],
    ["a server with a newest message that is none", "GUILD_CREATE", guildWith({ last_message_id: "newest" })],
    ["a message of nobody", "MESSAGE_CREATE", { id: "1", channel_id: channels.general }],
    ["an edit of nothing", "MESSAGE_UPDATE", null],
    ["a type that is not known", "NEW_EVENT", []],
  ])("are passed over, and the next message is answered: %s", async (_what, type, data) => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("a word, for the mark"));
    rig.sim.faults.gateway.deliver(type, data);
    expect((await rig.replyTo(rig.say(`${mention} still there?`).id)).content).toBe("You said: still there?");
    expect(count(rig, "identify")).toBe(1);
  });
});

describe("connection", () => {
  test("resumes after a close, a cut line and a request to reconnect, and nothing is lost or doubled", async () => {
    await using rig = await Rig.start();
    const troubles = [
      () => rig.sim.faults.gateway.disconnectAll(4000),
      () => rig.sim.faults.gateway.dropWithoutClose(),
      () => rig.sim.faults.gateway.requestReconnect(),
    ];
    const questions = troubles.map((trouble, at) => async () => {
      const since = rig.sim.mark();
      trouble();
      const question = rig.say(`${mention} question ${at}`);
      await rig.sim.waitForResume({ since });
      expect((await rig.replyTo(question.id)).content).toBe(`You said: question ${at}`);
    });
    for (const ask of questions) await ask();
    expect(rig.requests).toHaveLength(3);
    expect(count(rig, "identify")).toBe(1);
    expect(rig.discord.status().state).toBe("ready");
  }, 15_000);

  test("identifies anew when the session is refused, and catches up", async () => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("a word, for the mark"));
    const release = rig.sim.faults.gateway.refuseConnections();
    rig.sim.faults.gateway.dropWithoutClose();
    rig.sim.faults.gateway.forgetSessions();
    const missed = rig.say(`${mention} missed`);
    release();
    expect((await rig.replyTo(missed.id)).content).toBe("You said: missed");
    expect(count(rig, "identify")).toBe(2);
    expect(rig.requests).toHaveLength(1);
  }, 15_000);

  test("opcode 9: resumes when it may, else identifies", async () => {
    await using rig = await Rig.start();
    let since = rig.sim.mark();
    rig.sim.faults.gateway.invalidSession(true);
    await rig.sim.waitForResume({ since });
    since = rig.sim.mark();
    rig.sim.faults.gateway.invalidSession(false);
    await rig.sim.waitForReady({ since });
    expect(count(rig, "identify")).toBe(2);
  });

  test("a line without heartbeats is given up and the session resumed", async () => {
    await using rig = await Rig.start({ simulator: { heartbeatInterval: 60 } });
    const since = rig.sim.mark();
    const again = rig.sim.faults.gateway.stopAcking();
    await rig.sim.waitForGateway((note) => note.kind === "closed", { since });
    again();
    const question = rig.say(`${mention} still there?`);
    await rig.replyTo(question.id);
    expect(rig.requests).toHaveLength(1);
  });

  test("failing connections are tried again ever more slowly, and the session is kept", async () => {
    await using rig = await Rig.start();
    const since = rig.sim.mark();
    rig.sim.faults.gateway.refuseConnections(3);
    rig.sim.faults.gateway.dropWithoutClose();
    await rig.sim.waitForResume({ since, timeoutMs: 10_000 });
    expect(count(rig, "refused")).toBe(3);
    expect(count(rig, "identify")).toBe(1);
    expect([0, 1, 2, 3, 4].map((failures) => reconnectDelay(failures, 1000, 0.5))).toEqual([
      0, 0, 1000, 2000, 4000,
    ]);
    expect(reconnectDelay(50, 1000, 0.5)).toBe(60_000);
  }, 15_000);

  test("a shard that is silent for long is given a new connection with its session", async () => {
    await using rig = await Rig.start({ timing: { stuckMs: 100, watchMs: 20 } });
    await rig.sim.waitForResume();
    const question = rig.say(`${mention} awake?`);
    await rig.replyTo(question.id);
    expect(count(rig, "identify")).toBe(1);
    expect(rig.requests).toHaveLength(1);
  });

  test("Discord that cannot be reached at the start is asked again", async () => {
    await using rig = await Rig.start({}, "started");
    await rig.discord.ready;
    await rig.end();
    rig.sim.faults.rest({ path: /users\/@me$/, respond: 503, times: 3 });
    rig.sim.faults.rest({ path: /gateway\/bot$/, respond: "reset", times: 3 });
    rig.reopen();
    await rig.begin();
    expect(rig.discord.status().state).toBe("ready");
  });

  test("several shards, each with its guilds and its stored session", async () => {
    await using rig = await Rig.start({ simulator: { shards: 2 } });
    expect(rig.discord.status().shards.map(({ id, state }) => [id, state])).toEqual([
      [0, "ready"],
      [1, "ready"],
    ]);
    const direct = rig.sim.openDirectMessage(users.ben);
    const inPrivate = rig.say("hello", { userId: users.ben, channelId: direct });
    const inGuild = rig.say(`${mention} hello`);
    await Promise.all([rig.replyTo(inPrivate.id), rig.replyTo(inGuild.id)]);
    await rig.restart();
    expect(count(rig, "identify")).toBe(2);
    expect(count(rig, "resumed")).toBe(2);
  });
});

describe("what an operator has to mend", () => {
  test("privileged intents that are switched off: goes on without them, and says which", async () => {
    const privilegedIntents = { messageContent: false, members: true, presences: true };
    await using rig = await Rig.start({ simulator: { privilegedIntents } });
    const status = rig.discord.status();
    expect(status.state).toBe("degraded");
    expect(status.reason).toContain("Message Content Intent");
    expect(status.reason).not.toContain("Server Members Intent");
    expect(status.intents).toEqual({ messageContent: false, members: true, presences: false });
    const question = rig.say(`${mention} do you read me?`);
    expect((await rig.replyTo(question.id)).content).toBe("You said: do you read me?");
    expect(rig.fatal).toEqual([]);
    expect(ApplicationFlags.GatewayMessageContentLimited).toBeGreaterThan(0);
  });

  test("none of them", async () => {
    await using rig = await Rig.start({ simulator: { privilegedIntents: false } });
    expect(rig.discord.status().reason).toContain("Message Content Intent, Server Members Intent");
  });

  test("a bad token is fatal to Discord and to nothing else", async () => {
    await using rig = await Rig.start({ env: { DISCORD_TOKEN: "wrong" } }, "started");
    const failure = await rig.discord.ready.catch((error: unknown) => error);
    expect(failure).toBe(rig.fatal[0]);
    expect(rig.fatal.map((error) => error.code)).toEqual(["discord_unavailable"]);
    expect(rig.discord.status().state).toBe("failed");
    expect(rig.discord.status().reason).toContain("DISCORD_TOKEN: it was mistyped or reset");
    await expect(rig.discord.facts.botUserId()).rejects.toMatchObject({ code: "discord_unavailable" });
  });

  test("a token that is reset while it runs", async () => {
    await using rig = await Rig.start();
    rig.sim.faults.revokeToken();
    rig.sim.faults.gateway.dropWithoutClose();
    await rig.sim.waitForGateway((note) => note.kind === "closed" && note.code === 4004);
    await rig.untilFatal();
    expect(rig.discord.status().state).toBe("failed");
    const connections = count(rig, "connected");
    await rig.discord.close({ resumable: true });
    expect(count(rig, "connected")).toBe(connections);
  });

  test("too few shards", async () => {
    await using rig = await Rig.start(
      { env: { DISCORD_SHARDS: "1" }, simulator: { minimumShards: 2 } },
      "started",
    );
    await rig.untilFatal();
    expect(rig.fatal[0]?.message).toContain("DISCORD_SHARDS");
  });
});

describe("identifies", () => {
  test("a crash loop backs off, says so, and can be ended meanwhile", async () => {
    await using rig = await Rig.start({}, "started");
    await rig.discord.ready;
    await rig.end();
    rig.sim.faults.gateway.forgetSessions();
    rig.reopen();
    for (let crash = 0; crash < 8; crash += 1) await rig.memory.identifies.record(Date.now());
    // The resume is refused; what follows would be an identify.
    await rig.begin("started");
    await rig.sim.waitForGateway((note) => note.kind === "invalid_session");
    await rig.untilStatus((status) => status.state === "waiting");
    expect(rig.discord.status().reason).toMatch(/Waiting \d+ s .* in the past hour/);
    await rig.discord.close({ resumable: true });
    expect(count(rig, "identify")).toBe(1);
  });

  test("a wait that is over since the last one is not begun anew by the next process", async () => {
    const clock = { ahead: 0 };
    await using rig = await Rig.start({ now: () => Date.now() + clock.ahead });
    for (let crash = 0; crash < 8; crash += 1) await rig.memory.identifies.record(Date.now());
    await rig.end();
    rig.sim.faults.gateway.forgetSessions();
    clock.ahead = 30 * 60_000;
    rig.reopen();
    await rig.begin();
    expect(count(rig, "identify")).toBe(2);
  });

  test("the daily limit is respected", async () => {
    const sessionStartLimit = { total: 1000, remaining: 0, resetAfter: 3_600_000, maxConcurrency: 1 };
    await using rig = await Rig.start({ simulator: { sessionStartLimit } }, "started");
    await rig.untilStatus((status) => status.state === "waiting");
    expect(rig.discord.status().reason).toContain("daily limit");
    expect(count(rig, "identify")).toBe(0);
  });

  test("the wait before one", () => {
    const limit = { remaining: 1000, resetAfterMs: 1 };
    const delay = (inLastHour: number, shardCount = 1, sinceLastMs = 0) =>
      identifyDelay({ inLastHour, sinceLastMs, shardCount, limit }).delayMs;
    expect([0, 4, 5, 6, 7, 100].map((n) => delay(n))).toEqual([0, 0, 5000, 10_000, 20_000, 600_000]);
    expect(delay(40, 10)).toBe(0);
    // From the last one on: a process that lives for less than the wait would begin it anew each time.
    expect([0, 3000, 5000, 9000].map((sinceLastMs) => delay(5, 1, sinceLastMs))).toEqual([5000, 2000, 0, 0]);
    expect(delay(5, 1, -86_400_000)).toBe(5000);
    const none = { inLastHour: 0, sinceLastMs: Number.POSITIVE_INFINITY, shardCount: 1 };
    expect(identifyDelay({ ...none, limit: { remaining: 0, resetAfterMs: 77 } }).delayMs).toBe(77);
    expect(identifyDelay({ ...none, limit: null }).delayMs).toBe(0);
  });
});

describe("the stored sequence", () => {
  test("never passes what is not handled", () => {
    const tracker = new SequenceTracker("s", 1);
    tracker.passed(2);
    tracker.begin(3);
    tracker.begin(4);
    tracker.passed(5);
    expect([tracker.latest, tracker.handled]).toEqual([5, 2]);
    tracker.end(4);
    expect(tracker.handled).toBe(2);
    tracker.end(3);
    expect(tracker.handled).toBe(5);
  });

  test("is none before what began the session is handled", () => {
    const tracker = new SequenceTracker("s", 1);
    tracker.begin(1);
    tracker.passed(2);
    expect(tracker.handled).toBeNull();
    tracker.end(1);
    expect(tracker.handled).toBe(2);
  });

  test("is none before what was missed is caught up: the next process begins that anew", async () => {
    await using rig = await Rig.start();
    const { faults } = rig.sim;
    faults.gateway.forgetSessions();
    const admit = faults.gateway.refuseConnections();
    faults.gateway.dropWithoutClose();
    rig.say(`${mention} missed`);
    const path = new RegExp(`^/channels/${channels.general}/messages$`);
    const scan = faults.rest({ method: "GET", path, respond: "hold" });
    const { promise: isScanning, resolve } = Promise.withResolvers<void>();
    const asked = setInterval(() => void (scan.hits > 0 && resolve()), 1);
    admit();
    await isScanning;
    clearInterval(asked);
    // What comes meanwhile is handled, and how far that goes is stored.
    await rig.handled(rig.say("talk elsewhere", { channelId: channels.help }));
    await rig.restart();
    scan.release();
    await rig.sim.waitForBotMessage();
    expect(rig.said()).toEqual(["You said: missed"]);
  });

  test("is not looked for beyond what can be counted", () => {
    const tracker = new SequenceTracker("s", 1);
    tracker.passed(2 ** 60);
    expect(tracker.latest).toBe(1);
  });

  test("never passes one that was skipped, until it comes or a thousand have come since", () => {
    const tracker = new SequenceTracker("s", 1);
    tracker.passed(4);
    expect([tracker.latest, tracker.complete, tracker.handled]).toEqual([4, 1, 1]);
    tracker.passed(2);
    expect([tracker.complete, tracker.handled]).toEqual([2, 2]);
    tracker.begin(3);
    expect([tracker.complete, tracker.handled]).toEqual([4, 2]);
    tracker.end(3);
    expect(tracker.handled).toBe(4);
    tracker.passed(6);
    for (let sequence = 7; sequence <= 1005; sequence += 1) tracker.passed(sequence);
    expect(tracker.complete).toBe(4);
    tracker.passed(1006);
    expect([tracker.complete, tracker.handled]).toEqual([1006, 1006]);
    tracker.passed(1_000_000_000);
    expect(tracker.complete).toBe(999_998_999);
  });

  test.each(["the same process", "the next process"])(
    "a dispatch that got lost before another came: a resume by %s brings it",
    async (who) => {
      await using rig = await Rig.start();
      rig.sim.faults.gateway.loseNext(1);
      rig.say(`${mention} late`);
      await rig.handled(rig.say("talk elsewhere", { channelId: channels.help }));
      if (who === "the next process") await rig.restart();
      else rig.sim.faults.gateway.dropWithoutClose();
      await rig.sim.waitForBotMessage();
      expect(rig.said()).toEqual(["You said: late"]);
    },
  );

  test("is behind a message that cannot be stored yet", async () => {
    await using rig = await Rig.start({ flakySubmits: 1, timing: { retryMs: [60_000] } });
    const stuck = rig.say(`${mention} stuck`);
    // Another channel goes on and is stored meanwhile.
    await rig.handled(rig.say("talk elsewhere", { channelId: channels.help }));
    await rig.handled(rig.say("more talk elsewhere", { channelId: channels.help }));
    expect(await rig.memory.seen.has(stuck.id)).toBe(false);
    await rig.restart();
    await rig.sim.waitForBotMessage();
    expect(rig.said()).toEqual(["You said: stuck"]);
  });
});

test("a removal from a guild is told, an outage is not", async () => {
  await using rig = await Rig.start();
  rig.sim.changes.guilds.interrupt(guildId);
  rig.sim.changes.guilds.restore(guildId);
  rig.sim.changes.guilds.removeBot(guildId);
  const direct = rig.sim.openDirectMessage(users.ana);
  await rig.replyTo(rig.say("still there?", { channelId: direct }).id);
  expect(rig.removedGuilds).toEqual([DEMO.guildId]);
});
