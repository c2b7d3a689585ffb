import { API } from "@discordjs/core";
import { DiscordAPIError, REST } from "@discordjs/rest";
import { ApplicationFlags, PermissionFlagsBits } from "discord-api-types/v10";
import type { Config } from "../config.ts";
import { listOf } from "./fits.ts";
import { isApplication, isOwnGuild, isUser } from "./promised-shapes.ts";
import { sensible } from "./rest/errors.ts";

/** What `doctor` and a person want to know of the Discord side. `advice` says what to do about a failure. */
export interface Finding {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed" | "skipped";
  readonly says: string;
  readonly advice?: string;
}

const timeoutMs = 10_000;
/** A bot may be in thousands of servers; the first page shows the pattern. */
const guildsShown = 100;

const wanted = [
  ["View Channels", PermissionFlagsBits.ViewChannel],
  ["Send Messages", PermissionFlagsBits.SendMessages],
  ["Send Messages in Threads", PermissionFlagsBits.SendMessagesInThreads],
  ["Read Message History", PermissionFlagsBits.ReadMessageHistory],
  ["Embed Links", PermissionFlagsBits.EmbedLinks],
] as const;

/** Asks Discord by REST, changing nothing: the token, the privileged intents, the permissions in each server. */
export async function checkDiscord(config: Config["discord"]): Promise<readonly Finding[]> {
  if (config.token === null) {
    return [
      {
        name: "Discord token",
        state: "warning",
        says: "DISCORD_TOKEN is not set: the service runs on the network only",
        advice: "Copy the token from the Discord Developer Portal, page Bot, into DISCORD_TOKEN.",
      },
    ];
  }
  const rest = new REST({ api: config.apiUrl, timeout: timeoutMs, retries: 0 }).setToken(config.token);
  const api = new API(rest);
  try {
    const me = sensible(await api.users.getCurrent(), "the bot", isUser);
    return [
      { name: "Discord token", state: "ok", says: `works, the bot is ${me.username} (${me.id})` },
      ...(await checkIntents(api, config)),
      ...(await checkGuilds(api)),
    ];
  } catch (error) {
    return [tokenFailure(error)];
  }
}

function tokenFailure(error: unknown): Finding {
  if (error instanceof DiscordAPIError && error.status === 401) {
    return {
      name: "Discord token",
      state: "failed",
      says: "Discord does not accept DISCORD_TOKEN",
      advice: "It was mistyped or reset: make a new one in the Developer Portal, page Bot, Reset Token.",
    };
  }
  return {
    name: "Discord token",
    state: "failed",
    says: `Discord could not be asked (${error instanceof Error ? error.message : "no reason given"})`,
    advice: "Check the connection, a proxy or firewall, and DISCORD_API_URL.",
  };
}

async function checkIntents(api: API, config: Config["discord"]): Promise<readonly Finding[]> {
  const { flags = 0 } = sensible(await api.applications.getCurrent(), "the application", isApplication);
  const switches = [
    {
      asked: config.privilegedIntents.messageContent,
      title: "Message Content Intent",
      bits: ApplicationFlags.GatewayMessageContent | ApplicationFlags.GatewayMessageContentLimited,
    },
    {
      asked: config.privilegedIntents.members,
      title: "Server Members Intent",
      bits: ApplicationFlags.GatewayGuildMembers | ApplicationFlags.GatewayGuildMembersLimited,
    },
    {
      asked: config.privilegedIntents.presences,
      title: "Presence Intent",
      bits: ApplicationFlags.GatewayPresence | ApplicationFlags.GatewayPresenceLimited,
    },
  ];
  return switches
    .filter(({ asked }) => asked)
    .map(({ title, bits }): Finding => {
      if ((flags & bits) !== 0) return { name: title, state: "ok", says: "is switched on" };
      return {
        name: title,
        state: "warning",
        says: "is asked for in DISCORD_INTENTS but switched off at Discord; the service starts without it",
        advice: `Developer Portal, page Bot, Privileged Gateway Intents: switch on ${title}; or take it out of DISCORD_INTENTS.`,
      };
    });
}

async function checkGuilds(api: API): Promise<readonly Finding[]> {
  const listed = await api.users.getGuilds({ limit: guildsShown });
  const guilds = sensible(listed, "servers", listOf(isOwnGuild));
  if (guilds.length === 0) {
    return [
      {
        name: "Servers",
        state: "warning",
        says: "the bot is in no server",
        advice: "Open the invite link of the README with the application's id.",
      },
    ];
  }
  return guilds.map((guild): Finding => {
    const bits = BigInt(guild.permissions);
    const administrator = (bits & PermissionFlagsBits.Administrator) !== 0n;
    const missing = wanted.filter(([, bit]) => !administrator && (bits & bit) === 0n).map(([title]) => title);
    const name = `Server ${guild.name}`;
    if (missing.length === 0) return { name, state: "ok", says: "the bot has the permissions that it needs" };
    return {
      name,
      state: "warning",
      says: `the bot lacks ${missing.join(", ")}`,
      advice: "Server Settings, Roles, the bot's role: allow them (single channels may differ).",
    };
  });
}
