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

/** What people begin: a pressed button, a slash command. The bot hears of it as INTERACTION_CREATE. */
export class InteractionStarts {
  readonly #world: World;
  readonly #publish: Publish;
  readonly #store: InteractionStore;

  constructor(world: World, publish: Publish, store: InteractionStore) {
    this.#world = world;
    this.#publish = publish;
    this.#store = store;
  }

  press({ userId, messageId, customId, token }: Press): OpenInteraction {
    const hidden = token === undefined ? undefined : this.#store.open(token)?.hidden.get(messageId);
    const message = hidden ?? this.#world.messages.get(messageId);
    if (message === null) throw new Error(`The simulated world has no message ${messageId}`);
    const open = this.#open(InteractionType.MessageComponent, userId, message.channel_id, null);
    const interaction = { ...open, message };
    const data = { custom_id: customId, component_type: ComponentType.Button as const, id: 1 };
    return this.#begin(interaction, { type: InteractionType.MessageComponent, data, message });
  }

  command({ userId, channelId, name, commandId, options }: Command): OpenInteraction {
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
    return this.#begin(open, { type: InteractionType.ApplicationCommand, data });
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

  #begin(open: OpenInteraction, part: object): OpenInteraction {
    this.#store.add(open);
    const guildId = this.#world.guildOfChannel(open.channel.id)?.id ?? null;
    const d = {
      id: open.id,
      application_id: this.#world.applicationId,
      version: 1,
      token: open.token,
      channel_id: open.channel.id,
      channel: {
        ...open.channel,
        permissions: String(channelPermissions(this.#world, open.channel, open.user.id)),
      },
      app_permissions: String(channelPermissions(this.#world, open.channel, this.#world.botUser.id)),
      locale: Locale.EnglishUS,
      entitlements: [],
      attachment_size_limit: 10 * 1024 * 1024,
      ...(guildId === null ? this.#direct(open.user) : this.#inGuild(open.user, open.channel, guildId)),
      ...part,
      // Built from parts; the tests read it back through the real client.
    } as unknown as APIInteraction;
    this.#publish({ dispatch: { t: Events.InteractionCreate, d }, guildId });
    return open;
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
