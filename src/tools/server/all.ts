import type { Tool } from "../tool.ts";
import { auditLog } from "./audit-log.ts";
import { serverStats } from "./server-stats.ts";

export const serverTools: readonly Tool[] = [serverStats, auditLog];
