import { AppError, toAppError } from "../../src/errors.ts";
import type { DirectToolOutcome, ToolInfo, ToolsPort } from "../../src/protocol/ports.ts";

export interface TestTools extends ToolsPort {
  all(): readonly ToolInfo[];
  calls: number;
  /** What `wait` waits for. */
  gate: PromiseWithResolvers<void>;
  /** The signals of calls, for seeing them aborted. */
  aborted: PromiseWithResolvers<void>;
}

/** Tiny tools: `echo` gives its arguments back, `wait` waits for the gate, `fail` fails with the code it is given. */
export function testTools(): TestTools {
  const parameters = { type: "object" };
  const infos = ["echo", "wait", "fail"].map((name) => ({
    name,
    description: `The tool ${name}.`,
    parameters,
  }));
  const tools: TestTools = {
    calls: 0,
    gate: Promise.withResolvers(),
    aborted: Promise.withResolvers(),
    all: () => infos,
    describe: (_actor, active) => infos.filter(({ name }) => active.length === 0 || active.includes(name)),
    async call({ toolName, input, activeTools, signal }): Promise<DirectToolOutcome> {
      tools.calls++;
      if (!infos.some(({ name }) => name === toolName))
        return { kind: "refused", code: "unknown_tool", text: "There is no tool of that name." };
      if (activeTools.length > 0 && !activeTools.includes(toolName))
        return { kind: "refused", code: "tool_inactive", text: "That tool is not active in this session." };
      if (toolName === "echo") return { kind: "done", value: input, text: "" };
      if (toolName === "fail") return failure(input);
      const gone = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => {
        tools.aborted.resolve();
        gone.reject(signal.reason);
      });
      await Promise.race([tools.gate.promise, gone.promise]);
      return { kind: "done", value: "waited", text: "" };
    },
  };
  return tools;
}

function failure(input: unknown): DirectToolOutcome {
  const { code, text, retryAfterMs } = input as {
    code: AppError["code"];
    text: string;
    retryAfterMs?: number;
  };
  const error = toAppError(new AppError(code, text));
  return {
    kind: code === "outcome_unknown" ? "unknown" : "failed",
    code: error.code,
    text: error.message,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
