import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import {
  type APIInteraction,
  type APIUser,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ComponentType,
  GatewayDispatchEvents as Events,
  InteractionContextType,
  InteractionType,
  Locale,
} from "discord-api-types/v10";
import type { InteractionStore, OpenInteraction } from "./interactions.ts";
import { channelPermissions } from "./permissions.ts";
import type { AnyChannel, World } from "./world.ts";
import type { Publish } from "./world-events.ts";

export interface Press {
  readonly userId: string;
  readonly messageId: string;
  readonly customId: string;
  /** When the message is an ephemeral one, which is in no channel: its interaction's token. */
  readonly token?: string;
}

export interface Command {
  readonly userId: string;
  readonly channelId: string;
  readonly name: string;
  readonly commandId?: string;
  readonly options?: Readonly<Record<string, string | number | boolean>>;
}

interface Prepared {
  readonly open: OpenInteraction;
  readonly part: object;
}

/** The application's Ed25519 keys; the public one, in hex, is what DISCORD_PUBLIC_KEY is set to. */
export interface ApplicationKeys {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export function makeApplicationKeys(): ApplicationKeys {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  // The raw key is the last 32 bytes of its DER form.
  return {
    publicKey: publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("hex"),
    privateKey,
  };
}

/** What people begin: a pressed button, a slash command. The bot hears of it as INTERACTION_CREATE. */
export class InteractionStarts {
  readonly #world: World;
  readonly #publish: Publish;
  readonly #store: InteractionStore;
  readonly #keys: ApplicationKeys;

  constructor(world: World, publish: Publish, store: InteractionStore, keys: ApplicationKeys) {
    this.#world = world;
    this.#publish = publish;
    this.#store = store;
    this.#keys = keys;
  }

  press({ userId, messageId, customId, token }: Press): OpenInteraction {
    const hidden = token === undefined ? undefined : this.#store.open(token)?.hidden.get(messageId);
    const message = hidden ?? this.#world.messages.get(messageId);
    if (message === null) throw new Error(`The simulated world has no message ${messageId}`);
    const open = this.#open(InteractionType.MessageComponent, userId, message.channel_id, null);
    const interaction = { ...open, message };
    const data = { custom_id: customId, component_type: ComponentType.Button as const, id: 1 };
    return this.#begin({
      open: interaction,
      part: { type: InteractionType.MessageComponent, data, message },
    });
  }

  command(command: Command): OpenInteraction {
    return this.#begin(this.#prepare(command));
  }

  /**
   * Sends a command to an application's own address instead of the gateway, signed as Discord signs it:
   * https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers
   */
  async commandTo(
    url: string,
    command: Command,
  ): Promise<{ readonly open: OpenInteraction; readonly response: Response }> {
    const prepared = this.#prepare(command);
    this.#store.add(prepared.open);
    const response = await this.#deliver(url, this.#payload(prepared));
    // An answer in the response counts as the first one.
    if (response.ok) prepared.open.isAnswered = true;
    return { open: prepared.open, response };
  }

  /** The ping by which Discord tests such an address; a wrong signature must be refused with 401. */
  ping(url: string, isSignatureWrong = false): Promise<Response> {
    const ping = {
      id: this.#world.ids.next(),
      application_id: this.#world.applicationId,
      type: InteractionType.Ping,
      version: 1,
    };
    return this.#deliver(url, { ...ping, token: "ping" }, isSignatureWrong);
  }

  #prepare({ userId, channelId, name, commandId, options }: Command): Prepared {
    const open = this.#open(InteractionType.ApplicationCommand, userId, channelId, name);
    const given = Object.entries(options ?? {}).map(([option, value]) => ({
      name: option,
      type: optionType(value),
      value,
    }));
    const data = {
      id: commandId ?? this.#world.ids.next(),
      name,
      type: ApplicationCommandType.ChatInput,
      options: given,
    };
    return { open, part: { type: InteractionType.ApplicationCommand, data } };
  }

  #open(
    type: InteractionType,
    userId: string,
    channelId: string,
    commandName: string | null,
  ): OpenInteraction {
    const channel = this.#world.channel(channelId);
    if (channel === null) throw new Error(`The simulated world has no channel ${channelId}`);
    return {
      id: this.#world.ids.next(),
      token: crypto.randomUUID().replaceAll("-", "").repeat(2),
      type,
      user: this.#world.user(userId),
      channel,
      commandName,
      message: null,
      createdAt: this.#world.now(),
      isAnswered: false,
      original: null,
      hidden: new Map(),
    };
  }

  #begin(prepared: Prepared): OpenInteraction {
    const { open } = prepared;
    this.#store.add(open);
    const guildId = this.#world.guildOfChannel(open.channel.id)?.id ?? null;
    this.#publish({ dispatch: { t: Events.InteractionCreate, d: this.#payload(prepared) }, guildId });
    return open;
  }

  #payload({ open, part }: Prepared): APIInteraction {
    const guildId = this.#world.guildOfChannel(open.channel.id)?.id ?? null;
    const { channel } = open;
    const { botUser, applicationId } = this.#world;
    return {
      id: open.id,
      application_id: applicationId,
      version: 1,
      token: open.token,
      channel_id: channel.id,
      channel: { ...channel, permissions: String(channelPermissions(this.#world, channel, open.user.id)) },
      app_permissions: String(channelPermissions(this.#world, channel, botUser.id)),
      locale: Locale.EnglishUS,
      entitlements: [],
      attachment_size_limit: 10 * 1024 * 1024,
      ...(guildId === null ? this.#direct(open.user) : this.#inGuild(open.user, channel, guildId)),
      ...part,
      // Discord's type is a union over every kind; this one is put together from the parts of two of them.
    } as unknown as APIInteraction;
  }

  async #deliver(url: string, payload: object, isSignatureWrong = false): Promise<Response> {
    const body = JSON.stringify(payload);
    const timestamp = String(Math.floor(this.#world.now() / 1000));
    const signed = isSignatureWrong ? `${timestamp}${body} ` : `${timestamp}${body}`;
    const signature = sign(null, Buffer.from(signed), this.#keys.privateKey).toString("hex");
    const headers = {
      "content-type": "application/json",
      "x-signature-ed25519": signature,
      "x-signature-timestamp": timestamp,
    };
    return await fetch(url, { method: "POST", headers, body });
  }

  #direct(user: APIUser) {
    return { user, authorizing_integration_owners: { 0: "0" }, context: InteractionContextType.BotDM };
  }

  #inGuild(user: APIUser, channel: AnyChannel, guildId: string) {
    const guild = this.#world.guild(guildId);
    const permissions = String(channelPermissions(this.#world, channel, user.id));
    const member = guild.members.get(user.id);
    if (member === undefined) throw new Error(`Guild ${guildId} has no member ${user.id}`);
    return {
      guild_id: guildId,
      guild: { id: guildId, locale: Locale.EnglishUS, features: guild.info.features },
      guild_locale: Locale.EnglishUS,
      member: { ...member, permissions },
      authorizing_integration_owners: { 0: guildId },
      context: InteractionContextType.Guild,
    };
  }
}

function optionType(value: string | number | boolean): ApplicationCommandOptionType {
  if (typeof value === "string") return ApplicationCommandOptionType.String;
  if (typeof value === "boolean") return ApplicationCommandOptionType.Boolean;
  return Number.isInteger(value) ? ApplicationCommandOptionType.Integer : ApplicationCommandOptionType.Number;
}
