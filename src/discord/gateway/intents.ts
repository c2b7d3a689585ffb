import type { API } from "@discordjs/core";
import { ApplicationFlags, GatewayIntentBits } from "discord-api-types/v10";
import type { Config } from "../../config.ts";

export type PrivilegedIntents = Config["discord"]["privilegedIntents"];

const ordinary =
  GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages | GatewayIntentBits.DirectMessages;

interface Privileged {
  readonly name: keyof PrivilegedIntents;
  readonly title: string;
  readonly intent: GatewayIntentBits;
  /** Application flags that say it is switched on. */
  readonly flags: number;
}

const privileged: readonly Privileged[] = [
  {
    name: "messageContent",
    title: "Message Content Intent",
    intent: GatewayIntentBits.MessageContent,
    flags: ApplicationFlags.GatewayMessageContent | ApplicationFlags.GatewayMessageContentLimited,
  },
  {
    name: "members",
    title: "Server Members Intent",
    intent: GatewayIntentBits.GuildMembers,
    flags: ApplicationFlags.GatewayGuildMembers | ApplicationFlags.GatewayGuildMembersLimited,
  },
  {
    name: "presences",
    title: "Presence Intent",
    intent: GatewayIntentBits.GuildPresences,
    flags: ApplicationFlags.GatewayPresence | ApplicationFlags.GatewayPresenceLimited,
  },
];

export function intentBits(asked: PrivilegedIntents): number {
  let bits: number = ordinary;
  for (const { name, intent } of privileged) if (asked[name]) bits |= intent;
  return bits;
}

export const wantsPrivileged = (asked: PrivilegedIntents): boolean =>
  privileged.some(({ name }) => asked[name]);

/** What the person who owns the application has to switch on to get from one to the other. */
export function missingSwitches(asked: PrivilegedIntents, granted: PrivilegedIntents): readonly string[] {
  return privileged.filter(({ name }) => asked[name] && !granted[name]).map(({ title }) => title);
}

/**
 * What is left of the intents after Discord has refused them (close code 4014): those that the application's flags say
 * are switched on, or none when that does not explain the refusal or cannot be asked.
 */
export async function grantedIntents(
  api: API,
  asked: PrivilegedIntents,
  signal: AbortSignal,
): Promise<PrivilegedIntents> {
  const none: PrivilegedIntents = { messageContent: false, members: false, presences: false };
  try {
    const { flags = 0 } = await api.applications.getCurrent({ signal });
    const isOn = (name: keyof PrivilegedIntents) =>
      asked[name] && privileged.some((one) => one.name === name && (flags & one.flags) !== 0);
    const left = {
      messageContent: isOn("messageContent"),
      members: isOn("members"),
      presences: isOn("presences"),
    };
    return missingSwitches(asked, left).length === 0 ? none : left;
  } catch {
    return none;
  }
}
