import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { LimitName } from "./limits/rate-limits.ts";
import { RequestDurations, Tally } from "./metrics/request-meter.ts";

/** Everything that is counted, with a method for each thing that happens, so that label names live in one place. */
export type Metrics = ReturnType<typeof createMetrics>;

const seconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120];

/** A registry of its own, so that two services in one test process do not share numbers. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  // What happens at each request and tool call is counted in plain numbers, and handed over when it is scraped.
  const requestsBy = new Map<string, Tally>();
  const toolCalls = new Tally();
  new Counter({
    name: "mcp_requests_total",
    help: "Requests of the JSON protocol and HTTP, by message type or HTTP method, endpoint and outcome (success, or the error's code).",
    labelNames: ["method", "endpoint", "outcome"] as const,
    registers,
    collect() {
      for (const [method, tally] of requestsBy)
        tally.drain((endpoint, outcome, count) => this.inc({ method, endpoint, outcome }, count));
    },
  });
  const requestSeconds = new RequestDurations(
    "mcp_request_duration_seconds",
    "Time from a request to its reply.",
    seconds,
  );
  new Counter({
    name: "mcp_tool_usage_total",
    help: "Tool calls by tool and verdict (done, failed, refused, unknown).",
    labelNames: ["tool_name", "verdict"] as const,
    registers,
    collect() {
      toolCalls.drain((tool_name, verdict, count) => this.inc({ tool_name, verdict }, count));
    },
  });
  const turns = new Counter({
    name: "mcp_turns_total",
    help: "Ended turns by outcome (done, failed, cancelled) and origin.",
    labelNames: ["outcome", "origin"] as const,
    registers,
  });
  const modelSeconds = new Histogram({
    name: "mcp_model_duration_seconds",
    help: "Time of one model call, retries included.",
    labelNames: ["model", "outcome"] as const,
    buckets: seconds,
    registers,
  });
  const modelTokens = new Counter({
    name: "mcp_model_tokens_total",
    help: "Tokens by kind (input, output, cache_creation, cache_read).",
    labelNames: ["model", "kind"] as const,
    registers,
  });
  const modelRetries = new Counter({
    name: "mcp_model_retries_total",
    help: "Model calls that were asked for again, by reason.",
    labelNames: ["reason"] as const,
    registers,
  });
  const limited = new Counter({
    name: "mcp_rate_limited_total",
    help: "Refusals by limit (token, address, user, guild).",
    labelNames: ["limit"] as const,
    registers,
  });
  const gatewayEvents = new Counter({
    name: "mcp_gateway_events_total",
    help: "Dispatches taken in from Discord's gateway, by type.",
    labelNames: ["type"] as const,
    registers,
  });
  const discordFailures = new Counter({
    name: "mcp_discord_failures_total",
    help: "Requests to Discord that failed without anybody being told (typing, post_refused, post_unknown, message_dropped, verdict, interaction).",
    labelNames: ["operation"] as const,
    registers,
  });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const gauges = {
    activeSessions: gauge("mcp_active_sessions", "Sessions that have not expired."),
    connections: gauge("mcp_connections", "Open WebSocket connections."),
    turnsRunning: gauge("mcp_turns_running", "Turns that run now."),
    turnsWaiting: gauge("mcp_turns_waiting", "Turns that wait in a queue."),
    outbox: gauge("mcp_outbox_open", "Posts to Discord that are stored and not yet sent."),
    gatewayReady: gauge("mcp_gateway_shards_ready", "Shards that are connected and ready."),
    gatewayLatency: gauge(
      "mcp_gateway_heartbeat_seconds",
      "Round trip of the latest heartbeat, the slowest shard.",
    ),
  };
  collectDefaultMetrics({ register: registry });

  return {
    contentType: registry.contentType,
    text: async () => `${await registry.metrics()}\n${requestSeconds.text()}`,
    gauges,
    request(method: string, endpoint: string, outcome: string, ms: number) {
      let tally = requestsBy.get(method);
      if (tally === undefined) {
        tally = new Tally();
        requestsBy.set(method, tally);
      }
      tally.add(endpoint, outcome);
      requestSeconds.observe(method, endpoint, ms / 1000);
    },
    toolCall: (toolName: string, verdict: string) => toolCalls.add(toolName, verdict),
    turnEnded: (outcome: string, origin: string) => turns.inc({ outcome, origin }),
    modelCall(model: string, outcome: string, ms: number) {
      modelSeconds.observe({ model, outcome }, ms / 1000);
    },
    modelTokens(model: string, kind: "input" | "output" | "cache_creation" | "cache_read", count: number) {
      if (count > 0) modelTokens.inc({ model, kind }, count);
    },
    modelRetry: (reason: string) => modelRetries.inc({ reason }),
    rateLimited: (limit: LimitName) => limited.inc({ limit }),
    gatewayEvent: (type: string) => gatewayEvents.inc({ type }),
    discordFailure: (
      operation:
        | "typing"
        | "post_refused"
        | "post_unknown"
        | "message_dropped"
        | "verdict"
        | "interaction"
        | "dispatch",
    ) => discordFailures.inc({ operation }),
  };
}
