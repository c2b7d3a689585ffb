import { PermissionFlagsBits as P } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { permissionNames } from "../../permissions/names.ts";
import { plain } from "../authority.ts";

const maxNamed = 60;

/** What counts in the server as a whole alone: an overwrite of a channel that holds it has no effect. */
const inServerAlone: bigint =
  P.Administrator |
  P.ManageGuild |
  P.ViewAuditLog |
  P.ViewGuildInsights |
  P.ViewCreatorMonetizationAnalytics |
  P.KickMembers |
  P.BanMembers |
  P.ModerateMembers |
  P.ChangeNickname |
  P.ManageNicknames |
  P.ManageGuildExpressions |
  P.CreateGuildExpressions;

/** https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags */
export const inChannels: bigint = Object.values(P).reduce((all, bit) => all | bit, 0n) & ~inServerAlone;

/** By the name in Discord's settings and that of its API, whatever the case and whatever stands between the words. */
const byName: ReadonlyMap<string, bigint> = new Map(
  Object.entries(P).flatMap(([name, bit]) => {
    const spoken = name.replace("Guild", "Server");
    return [...permissionNames(bit), name, spoken].map((one) => [folded(one), bit] as const);
  }),
);

export const permissionArgument = (description: string) =>
  Type.String({
    minLength: 2,
    maxLength: 60,
    description: `${description} As Discord names it, such as "Send Messages" or SEND_MESSAGES.`,
  });

export const permissionsArgument = (description: string) =>
  Type.Array(Type.String({ minLength: 2, maxLength: 60 }), {
    maxItems: maxNamed,
    description: `${description} As Discord names them, such as "Send Messages" or SEND_MESSAGES.`,
  });

/**
 * The bits of permissions that are named. `known` are those that make sense there. Throws AppError
 * `invalid_arguments` that lists the unknown ones, and what is known.
 */
export function permissionBits(
  argument: string,
  said: readonly string[],
  known = inChannels | inServerAlone,
): bigint {
  const bits = said.map((name) => byName.get(folded(name)) ?? 0n);
  const strangers = said.filter((_, index) => ((bits[index] ?? 0n) & known) === 0n);
  if (strangers.length === 0) return bits.reduce((all, bit) => all | bit, 0n);
  const isElsewhere = strangers.every((name) => byName.has(folded(name)));
  throw new AppError(
    "invalid_arguments",
    `${argument}: ${strangers.slice(0, 10).map(plain).join(", ")} ${isElsewhere ? "counts in the server as a whole, not in a channel" : "is no permission"}; known are ${permissionNames(known).join(", ")}.`,
    { data: { path: argument, problem: "names a permission that is not known here" } },
  );
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z]/g, "");
}
