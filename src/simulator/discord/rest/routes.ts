import type { Route } from "./context.ts";
import { messageRoutes } from "./messages.ts";
import { userRoutes } from "./users.ts";

export const routes: readonly Route[] = [...userRoutes, ...messageRoutes];
