import type { Entry } from "./axis.ts";
import { channelTools } from "./table/channels.ts";
import { memberTools } from "./table/members.ts";
import { messageTools } from "./table/messages.ts";
import { roleTools } from "./table/roles.ts";
import { memoryTools, permissionTools, serverTools } from "./table/server.ts";
import { threadTools } from "./table/threads.ts";

/** What Discord asks for, by tool: written by hand from its documentation, and from nothing in the product. */
export const table: Readonly<Record<string, Entry>> = {
  ...messageTools,
  ...channelTools,
  ...threadTools,
  ...memberTools,
  ...roleTools,
  ...permissionTools,
  ...serverTools,
  ...memoryTools,
};
