import { API } from "@discordjs/core";
import { DiscordAPIError, REST } from "@discordjs/rest";
import type { Config } from "../config.ts";
import { listOf } from "./fits.ts";
import { isOwnGuild } from "./promised-shapes.ts";
import { sensible } from "./rest/errors.ts";

export interface SharedGuild {
  readonly id: string;
  readonly name: string;
}

const timeoutMs = 5000;
/** A request each: whoever runs the bot in more servers than that has to say which one is meant. */
const guildsAsked = 25;

/**
 * The servers where both the bot and that person are, of the first 25 of the bot. Asked by REST, outside the
 * service. Null where there is no bot token. Throws what Discord's client throws when Discord cannot be asked, and AppError.
 */
export async function sharedGuilds(
  { token, apiUrl }: Pick<Config["discord"], "token" | "apiUrl">,
  userId: string,
): Promise<readonly SharedGuild[] | null> {
  if (token === null) return null;
  const api = new API(new REST({ api: apiUrl, timeout: timeoutMs, retries: 0 }).setToken(token));
  const listed = await api.users.getGuilds({ limit: guildsAsked });
  const guilds = sensible(listed, "servers", listOf(isOwnGuild));
  const members = await Promise.all(guilds.map(({ id }) => isMember(api, id, userId)));
  return guilds.filter((_guild, index) => members[index]).map(({ id, name }) => ({ id, name }));
}

async function isMember(api: API, guildId: string, userId: string): Promise<boolean> {
  try {
    await api.guilds.getMember(guildId, userId);
    return true;
  } catch (error) {
    if (error instanceof DiscordAPIError && error.status === 404) return false;
    throw error;
  }
}
