import { PermissionFlagsBits } from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import { quoted } from "../authority.ts";
import type { RolePlace } from "../targets.ts";
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
export function named(role: RolePlace | null, somebody: { readonly name: string } | null): string {
  if (role === null) return somebody?.name ?? "";
  return role.facts.id === role.guildId ? "everyone" : `the role ${quoted(role.facts.name)}`;
}
