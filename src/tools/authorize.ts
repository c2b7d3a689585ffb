import { PermissionFlagsBits } from "discord-api-types/v10";
import type { Actor } from "../actor.ts";
import { AppError, toAppError } from "../errors.ts";
import { permissionNames } from "../permissions/names.ts";
import type { Standing, Standings } from "./facts.ts";
import type { Need, Target } from "./tool.ts";

/**
 * Resolves when the actor and the bot have each what every need names. Throws AppError: `not_found` for what the
 * actor cannot see (the same answer as for an id that does not exist), `permission_denied` naming what is missing,
 * or, since what cannot be established is refused, the code of what kept the facts away.
 */
export async function authorize(needs: readonly Need[], actor: Actor, standings: Standings): Promise<void> {
  if (needs.length === 0) return;
  try {
    const botUserId = await standings.botUserId();
    if (actor.kind === "user" && actor.userId === botUserId) {
      throw new AppError(
        "permission_denied",
        "The bot's own power needs an API token with the scope act:bot; open the session for a person.",
      );
    }
    for (const need of needs) await authorizeOne(need, actor, botUserId, standings);
  } catch (error) {
    throw asRefusal(error);
  }
}

/** "channel:1 member:2:3", for the audit log. */
export function describeTargets(needs: readonly Need[]): string {
  return needs.map(({ target }) => describeTarget(target)).join(" ");
}

function describeTarget(target: Target): string {
  switch (target.kind) {
    case "channel":
      return `channel:${target.channelId}`;
    case "guild":
      return `guild:${target.guildId}`;
    case "member":
      return `member:${target.guildId}:${target.userId}`;
    case "user":
      return `user:${target.userId}`;
    default:
      return target satisfies never;
  }
}

async function authorizeOne({ target, permissions }: Need, actor: Actor, botUserId: string, look: Standings) {
  switch (target.kind) {
    case "channel": {
      // Until every channel can be decided about (the complete permission model), only the one that is spoken in.
      const { channelId } = target;
      if (channelId !== actor.channelId) throw notFound("channel", channelId);
      const needed = permissions | PermissionFlagsBits.ViewChannel;
      const at = (userId: string) => look.inChannel(userId, actor.guildId, channelId);
      return assertBoth(needed, actor, botUserId, at, notFound("channel", channelId));
    }
    case "guild":
    case "member": {
      const { guildId } = target;
      if (guildId !== actor.guildId) throw notFound("server", guildId);
      const at = (userId: string) => look.inGuild(userId, guildId);
      return assertBoth(permissions, actor, botUserId, at, notFound("server", guildId));
    }
    case "user":
      // A user as such is no place: there is nothing that a permission could be held in.
      if (permissions === 0n) return;
      throw new AppError(
        "permission_denied",
        "Permissions are held in a server or a channel, not over users.",
      );
    default:
      return target satisfies never;
  }
}

async function assertBoth(
  needed: bigint,
  actor: Actor,
  botUserId: string,
  at: (userId: string) => Promise<Standing | null>,
  hidden: AppError,
): Promise<void> {
  const { ViewChannel } = PermissionFlagsBits;
  const theirs = await at(actor.userId);
  if (theirs === null || ViewChannel & needed & ~theirs.bits) throw hidden;
  const bots = actor.userId === botUserId ? theirs : await at(botUserId);
  if (bots === null) throw hidden;
  assertHas(needed, theirs, theirs.userName);
  assertHas(needed, bots, "The bot");
}

function assertHas(needed: bigint, { bits, placeName }: Standing, who: string): void {
  const missing = permissionNames(needed & ~bits);
  if (missing.length === 0) return;
  throw new AppError(
    "permission_denied",
    `${who} cannot ${missing.join(" and ")} in ${placeName}; somebody who manages the server can allow it.`,
    { data: { missing } },
  );
}

function notFound(what: "channel" | "server", id: string): AppError {
  return new AppError("not_found", `There is no ${what} with the id ${id} that can be seen from here.`);
}

function asRefusal(error: unknown): AppError {
  const { code, message, retryAfterMs } = toAppError(error);
  if (error instanceof AppError && ["not_found", "permission_denied", "timeout"].includes(code)) return error;
  return new AppError(
    code,
    code === "internal_error"
      ? "Whether this is allowed could not be established because of a fault on our side, so it was not done."
      : `Whether this is allowed could not be established, so it was not done: ${message}`,
    { cause: error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  );
}
