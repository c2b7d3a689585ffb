import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { reasonArgument, roleArgument, userArgument } from "../argument-schemas.ts";
import type { TargetSpecs } from "../targets.ts";

/** What giving a role and taking it have in common. */
export const handingInput = (whom: string) =>
  Type.Object(
    { user_id: userArgument(whom), role_id: roleArgument("Which role."), reason: reasonArgument },
    { additionalProperties: false },
  );

/** The member may stand above whoever asks: only the role must be below. */
export const handingTargets = {
  role: {
    kind: "role",
    argument: "role_id",
    absent: "error",
    isBelow: true,
    needs: PermissionFlagsBits.ManageRoles,
  },
  member: { kind: "member", argument: "user_id", absent: "error", needs: 0n },
} as const satisfies TargetSpecs;
