import { archivedThreadRoutes } from "./archived-threads.ts";
import { auditLogRoutes } from "./audit-logs.ts";
import { banRoutes } from "./bans.ts";
import { channelPositionRoutes } from "./channel-positions.ts";
import { commandRoutes } from "./commands.ts";
import type { Route } from "./context.ts";
import { guildRoutes } from "./guilds.ts";
import { interactionRoutes } from "./interactions.ts";
import { channelRoutes } from "./manage-channels.ts";
import { memberRoutes } from "./manage-members.ts";
import { roleRoutes } from "./manage-roles.ts";
import { messageRoutes } from "./messages.ts";
import { overwriteRoutes } from "./overwrites.ts";
import { pinRoutes } from "./pins.ts";
import { reactionRoutes } from "./reactions.ts";
import { searchRoutes } from "./search.ts";
import { threadStartRoutes } from "./thread-starts.ts";
import { threadRoutes } from "./threads.ts";
import { userRoutes } from "./users.ts";

export const routes: readonly Route[] = [
  ...userRoutes,
  ...guildRoutes,
  ...auditLogRoutes,
  ...channelRoutes,
  ...channelPositionRoutes,
  ...overwriteRoutes,
  ...memberRoutes,
  ...banRoutes,
  ...roleRoutes,
  ...searchRoutes,
  ...pinRoutes,
  ...messageRoutes,
  ...reactionRoutes,
  ...threadRoutes,
  ...threadStartRoutes,
  ...archivedThreadRoutes,
  ...commandRoutes,
  ...interactionRoutes,
];
