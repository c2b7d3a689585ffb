import { channelInfo } from "./channel-info.ts";
import { messageHistory } from "./message-history.ts";
import { messagesSearch } from "./messages-search.ts";
import { serverStats } from "./server-stats.ts";
import type { Tool } from "./tool.ts";
import { userLookup } from "./user-lookup.ts";

/** Every tool, in the order in which it is offered. */
export const allTools: readonly Tool[] = [
  userLookup,
  channelInfo,
  messageHistory,
  serverStats,
  messagesSearch,
];
