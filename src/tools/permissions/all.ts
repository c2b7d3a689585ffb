import type { Tool } from "../tool.ts";
import { permissionsAudit } from "./permissions-audit.ts";
import { permissionsExplain } from "./permissions-explain.ts";

export const permissionsTools: readonly Tool[] = [permissionsExplain, permissionsAudit];
