import { describe, expect, test } from "bun:test";
import { GatewayOpcodes as Op } from "discord-api-types/v10";
import { type DiscordSimulator, startDiscordSimulator } from "../../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import { api, gatewayClient, identifyData, rawSocket } from "./harness.ts";

const ready = { op: Op.Dispatch, t: "READY" };
const isReady = (frame: { t: string | null }) => frame.t === ready.t;

describe("close codes", () => {
  const rows: [number, string, (simulator: DiscordSimulator) => Promise<number>][] = [
    [4001, "an unknown opcode", async (simulator) => send(simulator, 99, null)],
    [4002, "a frame that is no JSON", async (simulator) => sendText(simulator, "{")],
    [
      4002,
      "a frame that is too long",
      async (simulator) => sendText(simulator, JSON.stringify({ op: 1, d: "x".repeat(4096) })),
    ],
    [4003, "a request before the identify", async (simulator) => send(simulator, Op.PresenceUpdate, {})],
    [
      4004,
      "a wrong token",
      async (simulator) => send(simulator, Op.Identify, identifyData(simulator, { token: "no" })),
    ],
    [
      4004,
      "a resume with a wrong token",
      async (simulator) => send(simulator, Op.Resume, { token: "no", session_id: "x", seq: 1 }),
    ],
    [
      4010,
      "a shard that is out of range",
      async (simulator) => send(simulator, Op.Identify, identifyData(simulator, { shard: [2, 2] })),
    ],
    [
      4011,
      "fewer shards than are needed",
      async (simulator) => send(simulator, Op.Identify, identifyData(simulator, { shard: [0, 1] })),
    ],
    [4012, "another version", (simulator) => rawSocket(simulator, "v=6&encoding=json").closed],
    [
      4013,
      "intents that do not exist",
      async (simulator) =>
        send(simulator, Op.Identify, identifyData(simulator, { shard: [0, 2], intents: 1 << 30 })),
    ],
  ];
  for (const [code, what, attempt] of rows) {
    test(`${code} for ${what}`, async () => {
      await using simulator = await startDiscordSimulator({ minimumShards: 2 });
      expect(await attempt(simulator)).toBe(code);
      expect(simulator.gatewayNotes.at(-1)).toMatchObject({ kind: "closed", code });
    });
  }

  test("4014 for privileged intents that are switched off, which the real client reports", async () => {
    await using simulator = await startDiscordSimulator({ privilegedIntents: false });
    await using client = gatewayClient(simulator);
    await expect(client.manager.connect()).rejects.toThrow("disallowed intents");
    await simulator.waitForGateway((note) => note.kind === "closed" && note.code === 4014);
    expect(simulator.gatewayNotes.some((note) => note.kind === "identify")).toBe(false);
  });

  test("4005 for a second identify, 4007 for a sequence from the future", async () => {
    await using simulator = await startDiscordSimulator();
    const socket = rawSocket(simulator);
    socket.send(Op.Identify, identifyData(simulator));
    const { d } = await socket.frame(isReady);
    socket.send(Op.Identify, identifyData(simulator));
    expect(await socket.closed).toBe(4005);
    const session_id = (d as { session_id: string }).session_id;
    const later = rawSocket(simulator);
    later.send(Op.Resume, { token: simulator.token, session_id, seq: 999 });
    expect(await later.closed).toBe(4007);
  });

  test("4008 for more than 120 frames a minute", async () => {
    await using simulator = await startDiscordSimulator();
    const socket = rawSocket(simulator);
    for (let n = 0; n <= 120; n += 1) socket.send(Op.Heartbeat, null);
    expect(await socket.closed).toBe(4008);
  });

  test("4009 when the heartbeats stop, and the session is gone", async () => {
    await using simulator = await startDiscordSimulator({ heartbeatInterval: 100 });
    const socket = rawSocket(simulator);
    const hello = await socket.frame((frame) => frame.op === Op.Hello);
    expect(hello.d).toMatchObject({ heartbeat_interval: 100 });
    socket.send(Op.Identify, identifyData(simulator));
    const { d } = await socket.frame(isReady);
    expect(await socket.closed).toBe(4009);
    expect(await resumeAnswer(simulator, (d as { session_id: string }).session_id)).toBe(false);
  });
});

describe("identifies", () => {
  test("are limited to one in five seconds for each concurrency bucket", async () => {
    let time = Date.UTC(2026, 5, 1);
    await using simulator = await startDiscordSimulator({ now: () => time });
    const identify = async () => {
      const socket = rawSocket(simulator);
      socket.send(Op.Identify, identifyData(simulator));
      const answer = await socket.frame((frame) => isReady(frame) || frame.op === Op.InvalidSession);
      return answer.op;
    };
    expect(await identify()).toBe(Op.Dispatch);
    time += 4999;
    expect(await identify()).toBe(Op.InvalidSession);
    time += 1;
    expect(await identify()).toBe(Op.Dispatch);
    expect((await api(simulator).gateway.getBot()).session_start_limit.remaining).toBe(998);
  });

  test("of which too many in a day cost the token", async () => {
    const sessionStartLimit = { total: 1000, remaining: 1, resetAfter: 5000, maxConcurrency: 1 };
    await using simulator = await startDiscordSimulator({ rateLimits: "off", sessionStartLimit });
    const first = rawSocket(simulator);
    first.send(Op.Identify, identifyData(simulator));
    await first.frame(isReady);
    expect(await send(simulator, Op.Identify, identifyData(simulator))).toBe(4004);
    expect(await first.closed).toBe(4004);
    const answer = await fetch(`${simulator.apiUrl}/v10/users/@me`, {
      headers: { authorization: `Bot ${simulator.token}` },
    });
    expect(answer.status).toBe(401);
  });
});

describe("resumes", () => {
  for (const [code, isResumable] of [
    [1000, false],
    [1001, false],
    [4200, true],
  ] as const) {
    test(`after a close with ${code} ${isResumable ? "succeed" : "fail"}`, async () => {
      await using simulator = await startDiscordSimulator();
      const socket = rawSocket(simulator);
      socket.send(Op.Identify, identifyData(simulator));
      const { d } = await socket.frame(isReady);
      socket.close(code);
      await simulator.waitForGateway((note) => note.kind === "closed");
      expect(await resumeAnswer(simulator, (d as { session_id: string }).session_id)).toBe(isResumable);
    });
  }

  test("fail once the session waited too long", async () => {
    let time = Date.UTC(2026, 5, 1);
    await using simulator = await startDiscordSimulator({ now: () => time, sessionTimeout: 60_000 });
    const socket = rawSocket(simulator);
    socket.send(Op.Identify, identifyData(simulator));
    const { d } = await socket.frame(isReady);
    socket.close(4200);
    await simulator.waitForGateway((note) => note.kind === "closed");
    time += 60_001;
    expect(await resumeAnswer(simulator, (d as { session_id: string }).session_id)).toBe(false);
  });
});

test("members are requested by name and by id", async () => {
  await using simulator = await startDiscordSimulator();
  const socket = rawSocket(simulator);
  socket.send(Op.Identify, identifyData(simulator));
  await socket.frame(isReady);
  socket.send(Op.RequestGuildMembers, { guild_id: DEMO.guildId, query: "be", limit: 5, nonce: "a" });
  const byName = await socket.frame((frame) => frame.t === "GUILD_MEMBERS_CHUNK");
  expect(byName.d).toMatchObject({ nonce: "a", chunk_count: 1, members: [{ user: { id: DEMO.users.ben } }] });
  socket.send(Op.RequestGuildMembers, {
    guild_id: DEMO.guildId,
    user_ids: [DEMO.users.ana, "1"],
    nonce: "b",
  });
  const byId = await socket.frame((frame) => (frame.d as { nonce?: string } | null)?.nonce === "b");
  expect(byId.d).toMatchObject({ not_found: ["1"], members: [{ user: { id: DEMO.users.ana } }] });
});

function send(simulator: DiscordSimulator, op: number, d: unknown): Promise<number> {
  const socket = rawSocket(simulator);
  socket.send(op, d);
  return socket.closed;
}

function sendText(simulator: DiscordSimulator, text: string): Promise<number> {
  const socket = rawSocket(simulator);
  socket.sendText(text);
  return socket.closed;
}

async function resumeAnswer(simulator: DiscordSimulator, session_id: string): Promise<boolean> {
  const socket = rawSocket(simulator);
  socket.send(Op.Resume, { token: simulator.token, session_id, seq: 1 });
  const answer = await socket.frame((frame) => frame.t === "RESUMED" || frame.op === Op.InvalidSession);
  return answer.t === "RESUMED";
}
