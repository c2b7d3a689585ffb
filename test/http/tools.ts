import { Type } from "typebox";
import { AppError, errorCodes } from "../../src/errors.ts";
import type { AuditSink } from "../../src/tools/ports.ts";
import { createRegistry, type Registry, type RegistryOptions } from "../../src/tools/registry.ts";
import { defineTool, type Tool } from "../../src/tools/tool.ts";
import { Facts, noDiscord } from "../tools/harness.ts";

export interface TestTools {
  readonly registry: Registry;
  /** Calls of `echo` that ran. */
  calls: number;
  /** What `wait` waits for. */
  readonly gate: PromiseWithResolvers<void>;
  /** Resolves when a call of `wait` is aborted. */
  readonly aborted: PromiseWithResolvers<void>;
}

const anything = Type.Optional(Type.Unknown());
const sources: readonly string[] = [];
const about = { kind: "read", repeatable: true, needs: () => [] } as const;

/** The real registry with tiny tools: `echo` gives its arguments back, `wait` waits, `fail` fails as it is told. */
export function testTools(
  options: Pick<RegistryOptions, "metrics" | "now"> & { audit: AuditSink },
): TestTools {
  const state = { calls: 0, gate: Promise.withResolvers<void>(), aborted: Promise.withResolvers<void>() };
  const echo = defineTool({
    ...about,
    name: "echo",
    title: "Echo",
    description: "The tool echo.",
    input: Type.Object({ a: anything, n: anything, value: anything }, { additionalProperties: false }),
    async run(input) {
      state.calls++;
      return { value: input, sources };
    },
  });
  const wait = defineTool({
    ...about,
    name: "wait",
    title: "Wait",
    description: "The tool wait.",
    input: Type.Object({}, { additionalProperties: false }),
    async run(_input, { signal }) {
      signal.addEventListener("abort", () => state.aborted.resolve());
      await state.gate.promise;
      return { value: "waited", sources };
    },
  });
  const fail = defineTool({
    ...about,
    name: "fail",
    title: "Fail",
    description: "The tool fail.",
    input: Type.Object(
      { code: Type.Enum([...errorCodes]), text: Type.String(), retryAfterMs: Type.Number() },
      { additionalProperties: false },
    ),
    run: ({ code, text, retryAfterMs }) => Promise.reject(new AppError(code, text, { retryAfterMs })),
  });
  const tools: readonly Tool[] = [echo, wait, fail];
  const discord = { discord: noDiscord, facts: new Facts(), timeoutMs: 30_000, resultBytes: 16_384 };
  const registry = createRegistry({ ...options, ...discord, tools });
  return Object.assign(state, { registry });
}
