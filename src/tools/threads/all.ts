import type { Tool } from "../tool.ts";
import { forumPostCreate } from "./forum-post-create.ts";
import { forumPostRead } from "./forum-post-read.ts";
import { forumPostsList } from "./forum-posts-list.ts";
import { threadArchive } from "./thread-archive.ts";
import { threadCreate } from "./thread-create.ts";
import { threadLock } from "./thread-lock.ts";
import { threadMemberAdd } from "./thread-member-add.ts";
import { threadMemberRemove } from "./thread-member-remove.ts";
import { threadUnarchive } from "./thread-unarchive.ts";
import { threadUnlock } from "./thread-unlock.ts";
import { threadsList } from "./threads-list.ts";

export const threadsTools: readonly Tool[] = [
  threadsList,
  threadCreate,
  threadArchive,
  threadUnarchive,
  threadLock,
  threadUnlock,
  threadMemberAdd,
  threadMemberRemove,
  forumPostsList,
  forumPostRead,
  forumPostCreate,
];
