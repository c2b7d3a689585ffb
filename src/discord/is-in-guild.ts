import { DiscordAPIError } from "@discordjs/rest";
import { RESTJSONErrorCodes as Codes } from "discord-api-types/v10";
import type { DiscordReader } from "../tools/discord-port.ts";

const notIn: readonly (number | string)[] = [Codes.UnknownGuild, Codes.MissingAccess];

/** Whether the bot is in a guild, by Discord's own word. Throws AppError where there is none, as in an outage. */
export async function isInGuild(
  reader: Pick<DiscordReader, "guild">,
  guildId: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await reader.guild(guildId, signal);
    return true;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : null;
    if (cause instanceof DiscordAPIError && notIn.includes(cause.code)) return false;
    throw error;
  }
}
