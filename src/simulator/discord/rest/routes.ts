import { commandRoutes } from "./commands.ts";
import type { Route } from "./context.ts";
import { guildRoutes } from "./guilds.ts";
import { interactionRoutes } from "./interactions.ts";
import { channelRoutes } from "./manage-channels.ts";
import { memberRoutes } from "./manage-members.ts";
import { roleRoutes } from "./manage-roles.ts";
import { messageRoutes } from "./messages.ts";
import { pinRoutes } from "./pins.ts";
import { reactionRoutes } from "./reactions.ts";
import { searchRoutes } from "./search.ts";
import { threadRoutes } from "./threads.ts";
import { userRoutes } from "./users.ts";

export const routes: readonly Route[] = [
  ...userRoutes,
  ...guildRoutes,
  ...channelRoutes,
  ...memberRoutes,
  ...roleRoutes,
  ...searchRoutes,
  ...pinRoutes,
  ...messageRoutes,
  ...reactionRoutes,
  ...threadRoutes,
  ...commandRoutes,
  ...interactionRoutes,
];
