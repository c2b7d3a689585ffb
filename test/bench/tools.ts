import Anthropic from "@anthropic-ai/sdk";
import type { MessageParam } from "@anthropic-ai/sdk/resources/messages";
import { offerTools } from "../../src/agent/offered-tools.ts";
import type { OfferedTool } from "../../src/agent/ports.ts";
import { startClaudeSimulator } from "../../src/simulator/claude/simulator.ts";
import { allTools } from "../../src/tools/all.ts";
import { toolsFind } from "../../src/tools/tools-find.ts";
import { ana, bench, call } from "../tools/harness.ts";
import type { Bench, Row } from "./report.ts";

const model = "claude-sonnet-5-5";
const query = "put a member in time-out";
const wanted = "discord_member_timeout";
const question: MessageParam = { role: "user", content: "Put @ben in time-out for ten minutes, please." };
const use = {
  type: "tool_use",
  id: "toolu_1",
  name: wanted,
  input: { user_id: "@ben", minutes: 10 },
} as const;
const result: MessageParam = {
  role: "user",
  content: [{ type: "tool_result", tool_use_id: use.id, content: "It was done." }],
};

type Ways = "all" | "search" | "find";

export const tools: Bench = {
  name: "tools",
  about: `Prompt tokens that the tools cost, as the simulated Claude counts them (four characters to a token, the question alone beside them), with every tool switched on: all in front of the model, left to the Messages API's tool search, or to discord_tools_find. The turn calls one tool that is not in front, ${wanted}; its tokens are those of all its requests, cached or not.`,
  async run() {
    await using simulator = await startClaudeSimulator();
    const client = new Anthropic({ apiKey: simulator.apiKey, baseURL: simulator.baseUrl, maxRetries: 0 });
    const { registry } = bench([...allTools.filter(({ isFinder }) => !isFinder), toolsFind]);
    const offered = registry.definitions(ana, []);
    const ways = {
      all: everything(offered),
      search: offerTools(offered, true),
      find: offerTools(offered, false),
    };
    const found = await call(registry, { toolName: toolsFind.name, input: { query } });
    const counted = async (way: Ways, turn: readonly MessageParam[]): Promise<number> => {
      const { tools, messages } = ways[way].forRequest([question], turn);
      const body = { model, tools: [...tools], messages: [...messages] };
      return (await client.messages.countTokens(body)).input_tokens;
    };
    const nothing = (await client.messages.countTokens({ model, messages: [question] })).input_tokens;
    const costOf = async (way: Ways) => {
      const requests = requestsOf(way, found.text);
      const costs = await Promise.all(requests.map((turn) => counted(way, turn)));
      return { first: (costs[0] ?? 0) - nothing, turn: costs.reduce((sum, cost) => sum + cost, 0) };
    };
    const [all, search, find] = [await costOf("all"), await costOf("search"), await costOf("find")];
    const count = offered.length - 1;
    return [
      row("the tools in a request, left to the tool search", search.first, all.first),
      row("the tools in a request, left to discord_tools_find", find.first, all.first),
      row("a turn that finds its tool by the tool search, in 2 requests", search.turn, all.turn),
      row("a turn that finds its tool by discord_tools_find, in 3 requests", find.turn, all.turn),
      row(`a tool's definition, on average of ${count}`, all.first / count, null),
    ];
  },
};

function row(what: string, ours: number, floor: number | null): Row {
  return { what, unit: "tokens", ours, floor, floorIs: "all in front", goal: "" };
}

const everything = (offered: readonly OfferedTool[]) =>
  offerTools(
    offered.map((tool) => ({ ...tool, isCore: true })),
    false,
  );

/** What the turn has said before each of its requests. */
function requestsOf(way: Ways, found: string): readonly (readonly MessageParam[])[] {
  switch (way) {
    case "all":
      return [[], [{ role: "assistant", content: [use] }, result]];
    case "search": {
      const searched: MessageParam = {
        role: "assistant",
        content: [
          { type: "server_tool_use", id: "srvtoolu_1", name: "tool_search_tool_bm25", input: { query } },
          {
            type: "tool_search_tool_result",
            tool_use_id: "srvtoolu_1",
            content: {
              type: "tool_search_tool_search_result",
              tool_references: references.map((tool_name) => ({ type: "tool_reference", tool_name })),
            },
          },
          use,
        ],
      };
      return [[], [searched, result]];
    }
    case "find": {
      const asked: MessageParam = {
        role: "assistant",
        content: [{ type: "tool_use", id: "toolu_0", name: toolsFind.name, input: { query } }],
      };
      const told: MessageParam = {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "toolu_0", content: found }],
      };
      return [[], [asked, told], [asked, told, { role: "assistant", content: [use] }, result]];
    }
    default:
      return way satisfies never;
  }
}

/** Five, as many as the API gives for a search. */
const references = [
  wanted,
  "discord_member_timeout_end",
  "discord_member_kick",
  "discord_member_ban",
  "discord_member_info",
];
