import { getLogger } from "@logtape/logtape";
import type { Metrics } from "../metrics.ts";
import type { AuditSink } from "./ports.ts";
import type { ToolCall, ToolOutcome } from "./registry.ts";
import type { Tool } from "./tool.ts";

const log = getLogger(["discord-mcp", "tools"]);
const maxTargets = 500;

export interface AuditOptions {
  readonly audit: AuditSink;
  readonly metrics: Pick<Metrics, "toolCall">;
  readonly now: () => number;
}

/**
 * Counts each call and writes it down. Never rejects: the call has been done or not, whatever becomes of its row.
 * Gives a promise when that is to be waited for.
 */
export function createAudit({ audit, metrics, now }: AuditOptions) {
  return (
    { actor, sessionId, turnId, tokenId, toolName }: ToolCall,
    tool: Tool | null,
    { kind, code }: ToolOutcome,
    targets: string,
    started: number,
  ): Promise<void> | null => {
    metrics.toolCall(tool?.name ?? "unknown", kind);
    const written = audit
      .append({
        at: started,
        actorKind: actor.kind,
        actorUserId: actor.userId,
        guildId: actor.guildId,
        channelId: actor.channelId,
        sessionId,
        turnId: turnId ?? null,
        tokenId: tokenId ?? null,
        // An unknown name is whatever somebody sent.
        toolName: tool?.name ?? toolName.replace(/[^\w.-]/g, "?").slice(0, 64),
        targets: targets.slice(0, maxTargets),
        verdict: kind,
        reason: code ?? null,
        durationMs: Math.max(0, Math.round(now() - started)),
      })
      .catch((error: unknown) => {
        log.error("a tool call could not be written to the audit log", { tool_name: tool?.name, error });
      });
    // Rows of many calls are committed together. Who reads need not wait for the disk; who changes something does.
    return tool === null || tool.kind === "read" ? null : written;
  };
}
