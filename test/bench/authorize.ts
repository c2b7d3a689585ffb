import { API } from "@discordjs/core";
import { REST } from "@discordjs/rest";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import type { Actor } from "../../src/actor.ts";
import { createRestReader } from "../../src/discord/rest/reader.ts";
import { createFacts } from "../../src/discord/state/facts.ts";
import { GuildState } from "../../src/discord/state/guild-state.ts";
import { startDiscordSimulator } from "../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import { createFlow } from "../../src/tools/flow.ts";
import { messageHistory } from "../../src/tools/messages/message-history.ts";
import { createPolicies } from "../../src/tools/policy.ts";
import { createRegistry } from "../../src/tools/registry.ts";
import { defineTool } from "../../src/tools/tool.ts";
import { allOn, noChanges, noFiles, noMemories, Sent } from "../tools/harness.ts";
import type { Bench } from "./report.ts";
import { alternate, timed } from "./rounds.ts";

const rounds = 15;
const { guildId, channels, users } = DEMO;
const ana: Actor = { kind: "user", userId: users.ana, guildId, channelId: channels.general };

const base = {
  title: "Nothing",
  description: "Does nothing.",
  family: "server",
  kind: "read",
  repeatable: true,
  output: Type.Null(),
  run: async () => ({ value: null, sources: [] }),
} as const;
const input = Type.Object({ channel_id: Type.Optional(Type.String()) }, { additionalProperties: false });
const unguarded = defineTool({ ...base, name: "unguarded", input, targets: {} });
const guarded = defineTool({
  ...base,
  name: "guarded",
  input,
  targets: {
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "own",
      needs: PermissionFlagsBits.ReadMessageHistory,
    },
  },
});

export const authorize: Bench = {
  name: "authorize",
  about: `Authorising a tool call for a member, from the gateway's state (${rounds} rounds). What it adds is measured by a tool that does nothing, with and without a channel that it names; the whole call is discord_message_history with its request to a simulated Discord on loopback, in this process.`,
  async run() {
    await using simulator = await startDiscordSimulator({ rateLimits: "off" });
    // Without the bound on requests a second, which would be all that is seen of them.
    const rest = new REST({ api: simulator.apiUrl, globalRequestsPerSecond: 1_000_000 });
    const api = new API(rest.setToken(simulator.token));
    try {
      const reader = createRestReader(api);
      const state = new GuildState();
      state.botUserId = simulator.botUser.id;
      const facts = createFacts({
        state,
        reader,
        api,
        isTrusted: () => true,
        hearsMembers: () => true,
        botUserId: async () => simulator.botUser.id,
      });
      const policies = createPolicies(allOn);
      const registry = createRegistry({
        tools: [unguarded, guarded, messageHistory],
        discord: reader,
        change: noChanges,
        memories: noMemories,
        files: noFiles,
        sent: new Sent(),
        facts,
        policies,
        flow: createFlow({ facts, policies, now: Date.now }),
        limits: { changes: { take: async () => {} }, lookups: { take: async () => {} } },
        audit: { append: async () => {}, collect: () => {} },
        metrics: { toolCall: () => {} },
        now: Date.now,
        timeoutMs: 30_000,
        resultBytes: 16 * 1024,
      });
      const { signal } = new AbortController();
      const call = async (toolName: string, given: object = {}) => {
        const request = { toolName, input: given, actor: ana, activeTools: [], sessionId: null, signal };
        const outcome = await registry.call(request);
        if (outcome.kind !== "done") throw new Error(outcome.text);
      };
      await call("guarded");

      const us = await alternate(rounds, {
        without: async () => (await timed(2000, () => call("unguarded"))) * 1000,
        own: async () => (await timed(2000, () => call("guarded"))) * 1000,
        named: async () => (await timed(2000, () => call("guarded", { channel_id: "#help" }))) * 1000,
        whole: async () => (await timed(50, () => call("discord_message_history", { limit: 10 }))) * 1000,
      });
      const unit = "µs";
      const floorIs = "the whole call with its request";
      return [
        {
          what: "authorising, in the channel that is spoken in",
          unit,
          ours: us.own - us.without,
          floor: us.whole,
          floorIs,
          goal: "",
        },
        {
          what: "authorising, in a channel that is named",
          unit,
          ours: us.named - us.without,
          floor: us.whole,
          floorIs,
          goal: "",
        },
        { what: "a call that names nothing", unit, ours: us.without, floor: us.whole, floorIs, goal: "" },
      ];
    } finally {
      rest.clearHashSweeper();
      rest.clearHandlerSweeper();
    }
  },
};
