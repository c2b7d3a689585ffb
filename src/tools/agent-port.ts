import type { ToolPort } from "../agent/ports.ts";
import { AppError } from "../errors.ts";
import type { Registry } from "./registry.ts";

/** As much of the registry as the agent has to do with. */
export type AgentRegistry = Pick<Registry, "definitions" | "isRepeatable" | "call" | "assertMayApprove">;

/** The registry as the agent's port. `activeToolsOf` says what a session has active now; empty means all. */
export function agentTools(
  registry: AgentRegistry,
  activeToolsOf: (sessionId: string) => readonly string[] | Promise<readonly string[]>,
): ToolPort {
  return {
    definitions: (actor, activeTools) => registry.definitions(actor, activeTools),
    isRepeatable: (toolName) => registry.isRepeatable(toolName),
    async call({ step, toolUseId, ...request }) {
      try {
        const activeTools = await activeToolsOf(request.sessionId);
        const callId = `${request.turnId} ${step} ${toolUseId}`;
        const { kind, text, isError, sources, question } = await registry.call({
          ...request,
          activeTools,
          callId,
        });
        return { kind, text, isError, sources, ...(question === undefined ? {} : { question }) };
      } catch (error) {
        // The session can end while its turn runs; then nothing says any more what it may use.
        if (request.signal.aborted || !(error instanceof AppError)) throw error;
        return { kind: "refused", text: error.message, isError: true, sources: [] };
      }
    },
    async assertMayApprove({ toolName, input, actor }, approver, signal) {
      if (toolName === null)
        throw new AppError("permission_denied", "Only the person who asked can decide this.");
      await registry.assertMayApprove({ toolName, input, actor, signal }, approver);
    },
  };
}
