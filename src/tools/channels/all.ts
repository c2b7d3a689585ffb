import type { Tool } from "../tool.ts";
import { channelCreate } from "./channel-create.ts";
import { channelDelete } from "./channel-delete.ts";
import { channelEdit } from "./channel-edit.ts";
import { channelInfo } from "./channel-info.ts";
import { channelMove } from "./channel-move.ts";
import { channelOverwriteClear } from "./channel-overwrite-clear.ts";
import { channelOverwriteSet } from "./channel-overwrite-set.ts";
import { channelSync } from "./channel-sync.ts";
import { channelsList } from "./channels-list.ts";

export const channelsTools: readonly Tool[] = [
  channelInfo,
  channelsList,
  channelCreate,
  channelEdit,
  channelMove,
  channelDelete,
  channelSync,
  channelOverwriteSet,
  channelOverwriteClear,
];
