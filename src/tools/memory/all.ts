import type { Tool } from "../tool.ts";
import { memoryClear } from "./memory-clear.ts";
import { memoryForget } from "./memory-forget.ts";
import { memoryRecall } from "./memory-recall.ts";
import { memoryRemember } from "./memory-remember.ts";

export const memoryTools: readonly Tool[] = [memoryRecall, memoryRemember, memoryForget, memoryClear];
