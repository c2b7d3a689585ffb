import type { APIGuildMember } from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import type { ReadContext } from "../tool.ts";

/** Discord's own page. https://docs.discord.com/developers/resources/guild#list-guild-members */
const pageSize = 1000;
/** Pages that are looked through for one answer. */
const maxPages = 5;

export interface Scan {
  readonly guildId: string;
  /** The user id after which it begins. */
  readonly after: string | undefined;
  readonly limit: number;
  readonly fits: (member: APIGuildMember) => boolean;
}

export interface MemberPage {
  readonly members: readonly APIGuildMember[];
  /** Where the next page begins; null when there is none. */
  readonly nextAfter: string | null;
  /** What is not complete about it. */
  readonly note: string | null;
}

/**
 * Members in the order of their ids. A page can hold fewer than were asked for, or none, and still have a next one:
 * only so many members are looked at for each. Throws AppError `permission_denied` where Discord lists none to the bot.
 */
export async function scanMembers(
  { guildId, after, limit, fits }: Scan,
  { discord, signal }: Pick<ReadContext, "discord" | "signal">,
): Promise<MemberPage> {
  const members: APIGuildMember[] = [];
  let last = after;
  for (let page = 0; page < maxPages; page++) {
    const from = last === undefined ? {} : { after: last };
    const found = await discord.members(guildId, { ...from, limit: pageSize }, signal).catch(asWithoutIntent);
    members.push(...found.filter(fits));
    if (members.length > limit) return cut(members, limit);
    last = found.at(-1)?.user.id ?? last;
    if (found.length < pageSize) return { members, nextAfter: null, note: null };
  }
  const note = `Only ${maxPages * pageSize} members were looked at; the next page goes on from there.`;
  return { members, nextAfter: last ?? null, note };
}

/** The first so many, which are in the order of their ids. */
export function cut(members: readonly APIGuildMember[], limit: number): MemberPage {
  const page = members.slice(0, limit);
  return {
    members: page,
    nextAfter: members.length > limit ? (page.at(-1)?.user.id ?? null) : null,
    note: null,
  };
}

function asWithoutIntent(error: unknown): never {
  if (!(error instanceof AppError) || error.code !== "permission_denied") throw error;
  throw new AppError(
    "permission_denied",
    "Discord lists members only to bots with the server members intent, which the bot's operator can switch on in the developer portal; without it, search by a name (discord_members_search with query).",
    { cause: error },
  );
}
