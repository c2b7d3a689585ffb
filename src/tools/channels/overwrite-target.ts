import { PermissionFlagsBits } from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import { quoted } from "../authority.ts";
import { whom } from "../members/describe.ts";
import type { MemberPlace, RolePlace, UserPlace } from "../targets.ts";
import { guildTypes } from "./kinds.ts";

/** Where overwrites are: threads have those of their channel. */
export const overwritten = {
  kind: "channel",
  argument: "channel_id",
  absent: "own",
  types: guildTypes,
  needs: PermissionFlagsBits.ManageRoles,
} as const;

/** Throws AppError `invalid_arguments` unless either a role or somebody is named. */
export function assertOne(role: object | null, somebody: object | null): void {
  if ((role === null) === (somebody === null))
    throw new AppError("invalid_arguments", "Give either role_id or user_id.", {
      data: { path: "role_id", problem: "or user_id must be given, and not both" },
    });
}

/** As a question names them. */
export function named(role: RolePlace | null, somebody: MemberPlace | UserPlace | null): string {
  if (role === null) return somebody === null ? "" : whom(somebody.name, idOf(somebody));
  if (role.facts.id === role.guildId) return "everyone";
  return `the role ${whom(quoted(role.facts.name), role.facts.id)}`;
}

const idOf = (somebody: MemberPlace | UserPlace): string =>
  somebody.kind === "member" ? somebody.facts.userId : somebody.user.id;
