import { Database } from "bun:sqlite";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { createBudgets } from "../../src/agent/budgets.ts";
import type { NewTurn } from "../../src/agent/journal.ts";
import { createModel } from "../../src/agent/model-claude.ts";
import type { ModelPort, ModelRequest } from "../../src/agent/ports.ts";
import { createTurnService } from "../../src/agent/turns.ts";
import { readConfig } from "../../src/config.ts";
import { openMemory } from "../../src/memory/memory.ts";
import { createMetrics } from "../../src/metrics.ts";
import { wireEvent } from "../../src/protocol/wire.ts";
import { createEventHub } from "../../src/sessions/events.ts";
import { temporaryFolder } from "./folder.ts";
import { startPart, textOf } from "./parts.ts";
import { processor } from "./processes.ts";
import type { Bench } from "./report.ts";
import { alternate, type Measure, timed } from "./rounds.ts";

const rounds = 15;
const turnsPerRound = 20;
const answer =
  "The release went out on Tuesday, once both of the reviews were in; nobody has to answer. ".repeat(16);

export const turn: Bench = {
  name: "turn",
  about: `A turn without tools and an answer of ${answer.length} characters, from its acceptance to its stored end, against the bare SDK streaming the same request's answer from the same simulated Claude, which runs in another process and answers at once (${rounds} rounds of ${turnsPerRound}).`,
  async run() {
    await using claude = await startPart(new URL("./turn-model.ts", import.meta.url), { answer });
    await using folder = await temporaryFolder();
    const env = {
      ANTHROPIC_API_KEY: textOf(claude.facts, "apiKey"),
      ANTHROPIC_BASE_URL: textOf(claude.facts, "baseUrl"),
    };
    // Where a commit costs nothing, for telling the disk's part of a turn from ours.
    await using memoryFolder = await temporaryFolder("/dev/shm");
    await using agent = startAgent(folder.path, env);
    await using undelayed = startAgent(memoryFolder.path, env);
    await agent.takeTurn();
    const bare = bareSdk(env, agent.asked());

    const ms = await alternate(rounds, {
      whole: () => timed(turnsPerRound, agent.takeTurn),
      own: () => agent.ownTime(),
      undelayed: () => undelayed.ownTime(),
      sdk: () => timed(turnsPerRound, bare),
      commit: rawCommits(folder.path),
    });
    const cpu = await alternate(rounds, {
      turn: () => processorTime(agent.takeTurn),
      sdk: () => processorTime(bare),
    });
    const unit = "ms";
    const goal = "";
    const what = "a turn, without the model call";
    const commitIs = "one commit to disk by bun:sqlite";
    return [
      { what, unit, ours: ms.own, floor: ms.sdk, floorIs: "the bare SDK's call", goal: "at most 1.5" },
      { what, unit, ours: ms.own, floor: ms.commit, floorIs: commitIs, goal },
      {
        what: `${what}, with the database in memory (/dev/shm)`,
        unit,
        ours: ms.undelayed,
        floor: ms.sdk,
        floorIs: "the bare SDK's call",
        goal,
      },
      { what: "a turn", unit, ours: ms.whole, floor: ms.sdk, floorIs: "the bare SDK's call", goal },
      {
        what: "a turn's processor time",
        unit,
        ours: cpu.turn,
        floor: cpu.sdk,
        floorIs: "the bare SDK's call",
        goal,
      },
    ];
  },
};

/** The agent on a real database; each turn is the first of its conversation, so that all send the same. */
function startAgent(folder: string, env: Readonly<Record<string, string>>) {
  const config = readConfig({ ...env, USER_TOKENS_PER_DAY: "0", GUILD_TOKENS_PER_DAY: "0" });
  const memory = openMemory({ path: join(folder, "bench.db"), secretKey: "k".repeat(43) });
  const metrics = createMetrics();
  const events = createEventHub();
  let asked: ModelRequest | undefined;
  let waitedMs = 0;
  const claude = createModel(config.model, { metrics });
  const model: ModelPort = {
    async stream(request, handlers, signal) {
      asked ??= request;
      const began = performance.now();
      const reply = await claude.stream(request, handlers, signal);
      waitedMs += performance.now() - began;
      return reply;
    },
  };
  const service = createTurnService({
    journal: memory.turns,
    approvals: memory.approvals,
    history: memory.history,
    model,
    tools: {
      definitions: () => [],
      isRepeatable: () => true,
      call: () => Promise.reject(new Error("there are no tools")),
      assertMayApprove: () => Promise.reject(new Error("there are no tools")),
    },
    flow: { restricted: async () => [], policy: () => "ask" },
    context: { read: async () => ({ preferences: {}, activeTools: [] }) },
    budgets: createBudgets(memory.budgets, config.turn, Date.now),
    config,
    metrics,
    emit: (conversationId, event) => events.publish(conversationId, wireEvent(event)),
  });
  let channel = 500_000_000_000_000_000n;
  return {
    async takeTurn(): Promise<void> {
      const submitted = await service.submit(newTurn(String(channel++)));
      if (submitted.status !== "accepted") throw new Error(submitted.status);
      const ended = await service.wait(submitted.turn.id);
      if (ended.turn.answer !== answer.trim() && ended.turn.answer !== answer)
        throw new Error(`the turn ended with ${ended.turn.state}`);
    },
    asked(): ModelRequest {
      if (asked === undefined) throw new Error("the model has not been asked");
      return asked;
    },
    /** Milliseconds of a turn that passed outside of the model port. */
    async ownTime(): Promise<number> {
      waitedMs = 0;
      const whole = await timed(turnsPerRound, this.takeTurn);
      return whole - waitedMs / turnsPerRound;
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      memory[Symbol.dispose]();
    },
  };
}

function newTurn(channelId: string): NewTurn {
  return {
    sessionId: "s1",
    actor: { kind: "user", userId: "100000000000000000", guildId: "900000000000000000", channelId },
    origin: "program",
    text: "What became of the release that we planned for Tuesday, and does anybody wait for an answer?",
    preamble: "time: 2026-11-22T10:00Z",
    discordMessageId: null,
    idempotencyKey: null,
    replyTo: null,
  };
}

/** What somebody would write who only wants the answer. */
function bareSdk(env: { ANTHROPIC_API_KEY: string; ANTHROPIC_BASE_URL: string }, asked: ModelRequest) {
  const client = new Anthropic({ apiKey: env.ANTHROPIC_API_KEY, baseURL: env.ANTHROPIC_BASE_URL });
  const { model } = readConfig({});
  const params = {
    model: model.name,
    max_tokens: asked.maxTokens,
    system: [...asked.system],
    messages: [...asked.messages],
  };
  let characters = 0;
  return async (): Promise<void> => {
    const stream = client.messages.stream(params);
    stream.on("text", (text) => {
      characters += text.length;
    });
    const { stop_reason } = await stream.finalMessage();
    if (stop_reason !== "end_turn" || characters === 0) throw new Error(`stopped by ${stop_reason}`);
  };
}

/** What the disk takes: a row of 500 bytes, made durable as the product does it. */
function rawCommits(folder: string): Measure {
  const db = new Database(join(folder, "raw.db"));
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = FULL");
  db.run("CREATE TABLE t (id INTEGER PRIMARY KEY, content BLOB)");
  const insert = db.prepare("INSERT INTO t (content) VALUES (?)");
  const content = new Uint8Array(500);
  return () => timed(turnsPerRound, () => insert.run(content));
}

/** Milliseconds of processor time for one of many calls. */
async function processorTime(call: () => Promise<void>): Promise<number> {
  const before = processor().ms;
  for (let n = 0; n < turnsPerRound; n++) await call();
  return (processor().ms - before) / turnsPerRound;
}
