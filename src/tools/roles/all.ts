import type { Tool } from "../tool.ts";
import { roleCreate } from "./role-create.ts";
import { roleDelete } from "./role-delete.ts";
import { roleEdit } from "./role-edit.ts";
import { roleGive } from "./role-give.ts";
import { roleInfo } from "./role-info.ts";
import { roleTake } from "./role-take.ts";
import { rolesList } from "./roles-list.ts";

export const rolesTools: readonly Tool[] = [
  rolesList,
  roleInfo,
  roleCreate,
  roleEdit,
  roleDelete,
  roleGive,
  roleTake,
];
