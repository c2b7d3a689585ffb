import { expect, test } from "bun:test";
import { Histogram, Registry } from "prom-client";
import { RequestDurations } from "../src/metrics/request-meter.ts";
import { createMetrics } from "../src/metrics.ts";

test("requests and tool calls are counted over all scrapes", async () => {
  const metrics = createMetrics();
  metrics.request("tool_call", "/mcp/ws", "success", 3);
  metrics.request("tool_call", "/mcp/ws", "rate_limited", 0);
  metrics.toolCall("noop", "done");
  await metrics.text();
  metrics.request("tool_call", "/mcp/ws", "success", 30);
  metrics.request("GET", "/health", "success", 700_000);
  metrics.toolCall("noop", "done");
  metrics.toolCall("noop", "refused");
  const lines = (await metrics.text()).split("\n");
  for (const line of [
    'mcp_requests_total{method="tool_call",endpoint="/mcp/ws",outcome="success"} 2',
    'mcp_requests_total{method="tool_call",endpoint="/mcp/ws",outcome="rate_limited"} 1',
    'mcp_requests_total{method="GET",endpoint="/health",outcome="success"} 1',
    'mcp_tool_usage_total{tool_name="noop",verdict="done"} 2',
    'mcp_tool_usage_total{tool_name="noop",verdict="refused"} 1',
    'mcp_request_duration_seconds_bucket{le="0.001",method="tool_call",endpoint="/mcp/ws"} 1',
    'mcp_request_duration_seconds_bucket{le="0.005",method="tool_call",endpoint="/mcp/ws"} 2',
    'mcp_request_duration_seconds_count{method="tool_call",endpoint="/mcp/ws"} 3',
    'mcp_request_duration_seconds_bucket{le="120",method="GET",endpoint="/health"} 0',
    'mcp_request_duration_seconds_bucket{le="+Inf",method="GET",endpoint="/health"} 1',
  ])
    expect(lines).toContain(line);
});

test("durations are written as prom-client writes them", async () => {
  const registry = new Registry();
  const labelNames = ["method", "endpoint"] as const;
  const buckets = [0.001, 0.5, 1];
  const theirs = new Histogram({ name: "d", help: "Time.", labelNames, buckets, registers: [registry] });
  const ours = new RequestDurations("d", "Time.", buckets);
  for (const [method, endpoint, seconds] of [
    ["GET", '/a"b\\c\nd', 0.001],
    ["GET", '/a"b\\c\nd', 0.6],
    ["POST", "/", 0],
    ["POST", "/", 7],
    ["GET", "/", 1],
  ] as const) {
    theirs.observe({ method, endpoint }, seconds);
    ours.observe(method, endpoint, seconds);
  }
  const sorted = (text: string) => text.split("\n").sort();
  expect(sorted(ours.text())).toEqual(sorted(await registry.metrics()));
});
