import type { Tool } from "../tool.ts";
import { bansList } from "./bans-list.ts";
import { memberBan } from "./member-ban.ts";
import { memberInfo } from "./member-info.ts";
import { memberKick } from "./member-kick.ts";
import { memberNickname } from "./member-nickname.ts";
import { memberTimeout } from "./member-timeout.ts";
import { memberTimeoutEnd } from "./member-timeout-end.ts";
import { memberUnban } from "./member-unban.ts";
import { membersSearch } from "./members-search.ts";

export const membersTools: readonly Tool[] = [
  membersSearch,
  memberInfo,
  memberNickname,
  memberTimeout,
  memberTimeoutEnd,
  memberKick,
  memberBan,
  memberUnban,
  bansList,
];
