import { PermissionFlagsBits } from "discord-api-types/v10";

/** Where Discord's own settings say it otherwise than its API. */
const asInDiscord: Readonly<Record<string, string>> = {
  ManageGuild: "Manage Server",
  SendTTSMessages: "Send Text-to-Speech Messages",
  ManageGuildExpressions: "Manage Expressions",
  CreateGuildExpressions: "Create Expressions",
  ModerateMembers: "Time Out Members",
  SendMessagesInThreads: "Send Messages in Threads",
  UseVAD: "Use Voice Activity",
};

/** The names of the permissions of a set, as people read them in Discord: "Read Message History". */
export function permissionNames(bits: bigint): readonly string[] {
  const names = new Map<bigint, string>();
  for (const [name, bit] of Object.entries(PermissionFlagsBits)) {
    // Of two names for one bit the later one is the present one.
    if ((bits & bit) !== 0n) names.set(bit, asInDiscord[name] ?? name.replace(/(?<=[a-z])(?=[A-Z])/g, " "));
  }
  return [...names.values()];
}
