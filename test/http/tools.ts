import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import type { FlowPort } from "../../src/agent/ports.ts";
import { AppError, errorCodes } from "../../src/errors.ts";
import { inChannel } from "../../src/tools/audiences.ts";
import { createFlow } from "../../src/tools/flow.ts";
import { createPolicies } from "../../src/tools/policy.ts";
import type { AuditSink } from "../../src/tools/ports.ts";
import { createRegistry, type Registry, type RegistryOptions } from "../../src/tools/registry.ts";
import { defineTool, type Tool } from "../../src/tools/tool.ts";
import { allOn, Facts, noChanges, noDiscord, noFiles, noMemories, reading, Sent } from "../tools/harness.ts";

export interface TestTools {
  readonly registry: Registry;
  readonly flow: FlowPort;
  /** The guild that `close` is about. */
  readonly facts: Facts;
  /** What `echo` says that its result was read from. */
  sources: readonly string[];
  /** Calls of `echo` that ran. */
  calls: number;
  /** Calls of `close` that ran. */
  closed: number;
  /** What `wait` waits for. */
  readonly gate: PromiseWithResolvers<void>;
  /** Resolves when a call of `wait` has begun. */
  waiting: PromiseWithResolvers<void>;
  /** Resolves when a call of `wait` is aborted. */
  aborted: PromiseWithResolvers<void>;
}

const anything = Type.Optional(Type.Unknown());
const sources: readonly string[] = [];
const about = { family: "server", repeatable: true, targets: {} } as const;

/** The real registry with tiny tools: `echo` gives its arguments back, `wait` waits, `fail` fails as it is told, `close` has to be approved, `find_tools` is for the model. */
export function testTools(
  options: Pick<RegistryOptions, "metrics" | "now"> & { audit: AuditSink },
): TestTools {
  const state = {
    sources,
    calls: 0,
    closed: 0,
    gate: Promise.withResolvers<void>(),
    waiting: Promise.withResolvers<void>(),
    aborted: Promise.withResolvers<void>(),
  };
  const echo = defineTool({
    ...about,
    kind: "read",
    name: "echo",
    title: "Echo",
    description: "The tool echo.",
    input: Type.Object({ a: anything, n: anything, value: anything }, { additionalProperties: false }),
    output: Type.Object({ a: anything, n: anything, value: anything }),
    async run(input) {
      state.calls++;
      return { value: input, sources: state.sources };
    },
  });
  const wait = defineTool({
    ...about,
    kind: "read",
    name: "wait",
    title: "Wait",
    description: "The tool wait.",
    input: Type.Object({}, { additionalProperties: false }),
    output: Type.String(),
    async run(_input, _places, { signal }) {
      signal.addEventListener("abort", () => state.aborted.resolve());
      state.waiting.resolve();
      await state.gate.promise;
      return { value: "waited", sources };
    },
  });
  const fail = defineTool({
    ...about,
    kind: "read",
    name: "fail",
    title: "Fail",
    description: "The tool fail.",
    input: Type.Object(
      { code: Type.Enum([...errorCodes]), text: Type.String(), retryAfterMs: Type.Number() },
      { additionalProperties: false },
    ),
    output: Type.Never(),
    run: ({ code, text, retryAfterMs }) => Promise.reject(new AppError(code, text, { retryAfterMs })),
  });
  const close = defineTool({
    name: "close",
    title: "Close",
    description: "The tool close.",
    family: "channels",
    kind: "destroy",
    repeatable: false,
    targets: {
      channel: {
        kind: "channel",
        argument: "channel_id",
        absent: "own",
        needs: PermissionFlagsBits.ManageChannels,
      },
    },
    input: Type.Object({ channel_id: Type.Optional(Type.String()) }, { additionalProperties: false }),
    output: Type.Object({ closed: Type.String() }),
    question: (_input, { channel }) => `Close #${channel.facts.name}?`,
    audience: (_input, { channel }) => inChannel(channel),
    async run(_input, { channel }) {
      state.closed++;
      return { value: { closed: channel.facts.id }, sources };
    },
  });
  const find = defineTool({
    ...about,
    kind: "read",
    isFinder: true,
    name: "find_tools",
    title: "Find tools",
    description: "Finds tools for the model.",
    input: Type.Object({}, { additionalProperties: false }),
    output: Type.String(),
    run: async () => ({ value: "found", sources }),
  });
  const tools: readonly Tool[] = [echo, wait, fail, close, find];
  const facts = new Facts();
  facts.everyone = reading | PermissionFlagsBits.ManageChannels;
  const policies = createPolicies(allOn);
  const flow = createFlow({ facts, policies, now: options.now });
  const registry = createRegistry({
    ...options,
    ...{ tools, facts, policies, flow },
    discord: noDiscord,
    change: noChanges,
    memories: noMemories,
    files: noFiles,
    sent: new Sent(),
    limits: { changes: { take: async () => {} }, lookups: { take: async () => {} } },
    timeoutMs: 30_000,
    resultBytes: 16_384,
  });
  return Object.assign(state, { registry, flow, facts });
}
