import type { Tool } from "../tool.ts";
import { userLookup } from "./user-lookup.ts";
import { userMessage } from "./user-message.ts";

export const usersTools: readonly Tool[] = [userLookup, userMessage];
