import { channelsTools } from "./channels/all.ts";
import { membersTools } from "./members/all.ts";
import { memoryTools } from "./memory/all.ts";
import { messagesTools } from "./messages/all.ts";
import { permissionsTools } from "./permissions/all.ts";
import { reactionsTools } from "./reactions/all.ts";
import { rolesTools } from "./roles/all.ts";
import { serverTools } from "./server/all.ts";
import { threadsTools } from "./threads/all.ts";
import type { Tool } from "./tool.ts";
import { toolsFind } from "./tools-find.ts";
import { usersTools } from "./users/all.ts";

/** Every tool, in the order in which it is offered. */
export const allTools: readonly Tool[] = [
  ...usersTools,
  ...channelsTools,
  ...messagesTools,
  ...serverTools,
  ...memoryTools,
  ...reactionsTools,
  ...threadsTools,
  ...membersTools,
  ...rolesTools,
  ...permissionsTools,
  toolsFind,
];
