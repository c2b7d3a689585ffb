import type { ToolPort } from "../agent/ports.ts";
import { AppError } from "../errors.ts";
import type { Registry } from "./registry.ts";

/** The registry as the agent's port. `activeToolsOf` says what a session has active now; empty means all. */
export function agentTools(
  registry: Registry,
  activeToolsOf: (sessionId: string) => readonly string[] | Promise<readonly string[]>,
): ToolPort {
  return {
    definitions: (actor, activeTools) => registry.definitions(actor, activeTools),
    isRepeatable: (toolName) => registry.isRepeatable(toolName),
    async call({ toolName, input, actor, sessionId, turnId, signal }) {
      try {
        const activeTools = await activeToolsOf(sessionId);
        const { kind, text, isError, sources } = await registry.call({
          toolName,
          input,
          actor,
          activeTools,
          sessionId,
          turnId,
          signal,
        });
        return { kind, text, isError, sources };
      } catch (error) {
        // The session can end while its turn runs; then nothing says any more what it may use.
        if (signal.aborted || !(error instanceof AppError)) throw error;
        return { kind: "refused", text: error.message, isError: true, sources: [] };
      }
    },
  };
}
