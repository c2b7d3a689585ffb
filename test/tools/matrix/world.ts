import { API } from "@discordjs/core";
import { REST } from "@discordjs/rest";
import { GatewayDispatchEvents, GatewayOpcodes } from "discord-api-types/v10";
import type { Actor } from "../../../src/actor.ts";
import type { FlowPort } from "../../../src/agent/ports.ts";
import { createRestReader } from "../../../src/discord/rest/reader.ts";
import { createRestWriter } from "../../../src/discord/rest/writer.ts";
import { createFacts } from "../../../src/discord/state/facts.ts";
import { GuildState } from "../../../src/discord/state/guild-state.ts";
import type { Exchange } from "../../../src/simulator/discord/rest/serve.ts";
import { type DiscordSimulator, startDiscordSimulator } from "../../../src/simulator/discord/simulator.ts";
import type { World } from "../../../src/simulator/discord/world.ts";
import { allTools } from "../../../src/tools/all.ts";
import type { ToolCall, ToolOutcome } from "../../../src/tools/call.ts";
import { createFlow } from "../../../src/tools/flow.ts";
import { createPolicies } from "../../../src/tools/policy.ts";
import type { AuditSink, MemoryStore } from "../../../src/tools/ports.ts";
import { assertReachable } from "../../../src/tools/reach.ts";
import type { Registry } from "../../../src/tools/registry.ts";
import { fromSelf } from "../../../src/tools/sources.ts";
import { attachContract, type Violation } from "../../simulator/discord/openapi-contract.ts";
import { createCheckedRegistry } from "../checked.ts";
import { allOn, anyFiles, noMemories, Sent } from "../harness.ts";
import { messageIn, postedForWhom, reactedTo } from "./messages.ts";
import {
  type ActorName,
  botId,
  channels,
  deleted,
  guildId,
  otherGuildId,
  roles,
  userOf,
  users,
} from "./scene.ts";
import { matrixSeed } from "./seed.ts";

export interface MatrixOptions {
  /** Whether the gateway's state is complete and current, as it is while its heartbeats are answered. */
  readonly isTrusted: boolean;
  /** Whether members are kept between calls, as with the members intent. */
  readonly hearsMembers: boolean;
  /** Where calls are written down; nowhere if not given. */
  readonly audit?: AuditSink;
  /** None, which takes none, if not given. */
  readonly memories?: MemoryStore;
}

/** The whole registry over a simulated Discord in which every kind of target exists. */
export interface MatrixWorld extends AsyncDisposable {
  readonly discord: World;
  readonly registry: Registry;
  readonly flow: FlowPort;
  /** Whether somebody can be where they are said to be, as the doors ask. */
  assertReachable(actor: Actor, signal: AbortSignal): Promise<void>;
  /** In the order in which they were made. */
  readonly requests: readonly Exchange[];
  /** What does not fit Discord's OpenAPI description. */
  readonly violations: readonly Violation[];
  /** What would change something asks: nothing is ever changed by it. */
  call(toolName: string, input: Readonly<Record<string, unknown>>, by: Caller): Promise<ToolOutcome>;
  /** The same with the yes that it asks for. */
  carryOut(toolName: string, input: Readonly<Record<string, unknown>>, by: Caller): Promise<ToolOutcome>;
}

export interface Caller {
  readonly actor: ActorName;
  /** Where they speak. */
  readonly channelId: string;
}

/** What has been read before, which is the person's own: so whatever changes something asks, and nothing is changed. */
export const own = [fromSelf(users.nobody)];

export async function startMatrixWorld(options: MatrixOptions): Promise<MatrixWorld> {
  const simulator = await startDiscordSimulator({ seed: matrixSeed, rateLimits: "off" });
  const contract = attachContract(simulator);
  const requests: Exchange[] = [];
  simulator.onExchange((exchange) => void requests.push(exchange));
  // The product's client without its bound on requests a second, which thousands of calls would wait for.
  const rest = new REST({ api: simulator.apiUrl, retries: 0, globalRequestsPerSecond: 1_000_000 });
  const api = new API(rest.setToken(simulator.token));
  const reader = createRestReader(api);
  const state = new GuildState();
  state.botUserId = botId;
  const facts = createFacts({
    ...{ state, reader, api },
    isTrusted: () => options.isTrusted,
    hearsMembers: () => options.hearsMembers,
    botUserId: async () => botId,
  });
  prepare(simulator);
  if (options.isTrusted)
    for (const id of [guildId, otherGuildId]) await facts.load(id, new AbortController().signal);
  deleteChannels(simulator, state);

  const policies = createPolicies({ ...allOn, writes: "ask" });
  const sent = new Sent();
  for (const [messageId, userId] of postedForWhom) sent.users.set(messageId, userId);
  const now = Date.now;
  const flow = createFlow({ facts, policies, now });
  const limits = { changes: { take: async () => {} }, lookups: { take: async () => {} } };
  const registry = createCheckedRegistry({
    tools: allTools,
    discord: reader,
    change: createRestWriter(api),
    files: anyFiles,
    memories: options.memories ?? { ...noMemories, list: async () => [] },
    ...{ sent, facts, policies, now, flow, limits },
    audit: options.audit ?? { append: async () => {}, collect: () => {} },
    metrics: { toolCall: () => {} },
    timeoutMs: 20_000,
    resultBytes: 16 * 1024,
  });
  requests.length = 0;
  return {
    discord: simulator.world,
    ...{ registry, flow },
    assertReachable: (actor, signal) =>
      assertReachable(actor, signal, { discord: reader, sent, facts, policies, limits, now }),
    requests,
    violations: contract.violations,
    call: (toolName, input, by) => registry.call(requestOf(toolName, input, by)),
    async carryOut(toolName, input, by) {
      const request = requestOf(toolName, input, by);
      const { question } = await registry.call(request);
      if (question === undefined) throw new Error(`${toolName} asks nothing.`);
      const { fingerprint } = question;
      const approval = { approvalId: "a_1", fingerprint, approvedBy: request.actor.userId };
      return await registry.call({ ...request, approval });
    },
    async [Symbol.asyncDispose]() {
      rest.clearHashSweeper();
      rest.clearHandlerSweeper();
      await simulator[Symbol.asyncDispose]();
    },
  };
}

function requestOf(toolName: string, input: unknown, { actor, channelId }: Caller): ToolCall {
  const whose: Actor = { kind: actor === "bot" ? "bot" : "user", userId: userOf[actor], guildId, channelId };
  return {
    ...{ toolName, input, actor: whose },
    // It is there in turns alone.
    ...(toolName === "discord_tools_find" ? { turnId: "t_1" } : {}),
    activeTools: [],
    sessionId: "s_1",
    tokenId: actor === "bot" || actor === "token" ? "t_1" : null,
    sources: own,
    signal: new AbortController().signal,
  };
}

function prepare({ changes, people, remove }: DiscordSimulator): void {
  changes.members.timeout(guildId, users.timedOut, Date.now() + 24 * 60 * 60_000);
  changes.guilds.removeRole(guildId, roles.deleted);
  remove(messageIn(channels.general, "deleted"));
  for (const messageId of reactedTo) people.react(botId, messageId, "👍");
}

/** A moment ago: the state has just heard of it. */
function deleteChannels({ changes, world }: DiscordSimulator, state: GuildState): void {
  const { thread, post, ...others } = deleted;
  for (const id of [thread, post]) {
    changes.channels.remove(id);
    const d = { id, guild_id: guildId, parent_id: deleted.text, type: 11 };
    state.apply({ op: GatewayOpcodes.Dispatch, s: 1, t: GatewayDispatchEvents.ThreadDelete, d });
  }
  for (const id of Object.values(others)) {
    const channel = world.guild(guildId).channels.get(id);
    if (channel === undefined) throw new Error(`There is no channel ${id} to delete.`);
    changes.channels.remove(id);
    const d = { ...channel, guild_id: guildId };
    state.apply({ op: GatewayOpcodes.Dispatch, s: 1, t: GatewayDispatchEvents.ChannelDelete, d });
  }
}
