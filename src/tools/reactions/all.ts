import type { Tool } from "../tool.ts";
import { reactionAdd } from "./reaction-add.ts";
import { reactionRemove } from "./reaction-remove.ts";
import { reactionsList } from "./reactions-list.ts";

export const reactionsTools: readonly Tool[] = [reactionsList, reactionAdd, reactionRemove];
