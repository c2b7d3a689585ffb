import type { Target } from "./target.ts";
import { cli } from "./targets/cli.ts";
import { config, dotenv, policy } from "./targets/config.ts";
import { frames } from "./targets/frames.ts";
import { gateway } from "./targets/gateway.ts";
import { http } from "./targets/http.ts";
import { channel, mcpHttp } from "./targets/mcp.ts";
import { model } from "./targets/model.ts";
import { permissions } from "./targets/permissions.ts";
import { rest } from "./targets/rest.ts";
import { rows } from "./targets/rows.ts";
import { addresses, sealedState, sessionTokens, signatures, tickets } from "./targets/secrets.ts";
import { split } from "./targets/split.ts";
import { tools } from "./targets/tools.ts";

export const targets: readonly Target[] = [
  ...[split, config, policy, dotenv, cli, permissions],
  ...[frames, http, channel, mcpHttp],
  ...[sessionTokens, tickets, sealedState, addresses, signatures],
  ...[gateway, rest, model, tools, rows],
];
