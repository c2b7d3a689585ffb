import type { Config } from "../config.ts";
import { type SharedGuild, sharedGuilds } from "../discord/shared-guilds.ts";
import { type Io, UsageError } from "./command.ts";

/**
 * The server from which calls are made when none is named: the only one that the bot and that person share. Null,
 * with a note on standard error, where that cannot be told. Throws UsageError where there are several: tools of a
 * server are offered from a server alone, so that a connection without one would be of little use.
 */
export async function guildFor(
  userId: string,
  config: Config["discord"],
  io: Pick<Io, "err">,
): Promise<string | null> {
  const note = (why: string) => {
    io.err(`Note: ${why}; without --guild ID the tools of a server are not offered.\n`);
    return null;
  };
  let shared: readonly SharedGuild[] | null;
  try {
    shared = await sharedGuilds(config, userId);
  } catch {
    return note("Discord could not be asked for the servers that the bot and this person share");
  }
  if (shared === null) return note("there is no DISCORD_TOKEN to ask for this person's servers with");
  const [only, ...others] = shared;
  if (only === undefined) return note(`the bot shares no server with ${userId}, or the id is not right`);
  if (others.length > 0)
    throw new UsageError(
      `--guild is missing; the bot and this person share ${shared.map(titled).join(", ")}`,
    );
  io.err(`Calls are made from ${titled(only)}, the server that the bot and this person share.\n`);
  return only.id;
}

/** A server's name is its people's: nothing of it may move the cursor. */
const titled = ({ id, name }: SharedGuild): string => `${name.replace(/\p{C}/gu, "")} (${id})`;
