import { getLogger } from "@logtape/logtape";
import type { Metrics } from "../metrics.ts";
import type { ToolCall, ToolOutcome } from "./call.ts";
import type { AuditRow, AuditSink } from "./ports.ts";
import type { Tool } from "./tool.ts";

const log = getLogger(["discord-mcp", "tools"]);
const maxTargets = 500;

export interface AuditOptions {
  readonly audit: AuditSink;
  readonly metrics: Pick<Metrics, "toolCall">;
  readonly now: () => number;
}

/**
 * Counts each call and writes it down. Gives a promise, which never rejects, when the caller must wait for the row:
 * whatever may have changed something is committed to the log before anybody hears of it. Of calls that only read,
 * and of refusals, which ran nothing, rows are collected and committed together a moment later.
 */
export function createAudit({ audit, metrics, now }: AuditOptions) {
  return (
    { actor, sessionId, turnId, tokenId, toolName, approval }: ToolCall,
    tool: Tool | null,
    { kind, code }: ToolOutcome,
    targets: readonly string[],
    started: number,
  ): Promise<void> | null => {
    metrics.toolCall(tool?.name ?? "unknown", kind);
    const row: AuditRow = {
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
      targets: targets.join(" ").slice(0, maxTargets),
      verdict: kind,
      reason: code ?? null,
      durationMs: Math.max(0, Math.round(now() - started)),
      approvalId: approval?.approvalId ?? null,
      approvedBy: approval?.approvedBy ?? null,
    };
    if (tool === null || tool.kind === "read" || kind === "refused" || kind === "asked") {
      audit.collect(row);
      return null;
    }
    return audit.append(row).catch((error: unknown) => {
      // The call has been done or not, whatever becomes of its row.
      log.error("a tool call could not be written to the audit log", { tool_name: tool.name, error });
    });
  };
}
