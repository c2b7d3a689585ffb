import type { APIMessage } from "discord-api-types/v10";
import type { ClaudeSimulator } from "../../src/simulator/claude/simulator.ts";
import type { DiscordSimulator } from "../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";

export const { users, channels, roles, guildId, botId } = DEMO;
export const mention = `<@${botId}>`;

/** The simulated Discord and Claude that a service stands before, and what people say and see there. */
export class Surroundings {
  readonly discord: DiscordSimulator;
  readonly claude: ClaudeSimulator;
  /** How long an answer is waited for. */
  readonly #answerMs: number;

  constructor(discord: DiscordSimulator, claude: ClaudeSimulator, answerMs: number) {
    this.discord = discord;
    this.claude = claude;
    this.#answerMs = answerMs;
  }

  /** Ana writes in #general, when nothing else is said. */
  say(content: string, more: Partial<Parameters<DiscordSimulator["say"]>[0]> = {}): APIMessage {
    return this.discord.say({ userId: users.ana, channelId: channels.general, content, ...more });
  }

  /** The message that the bot answers that one with. */
  replyTo({ id }: Pick<APIMessage, "id">): Promise<APIMessage> {
    return this.discord.waitForMessage(
      (one) => one.author.id === botId && one.message_reference?.message_id === id,
      { timeoutMs: this.#answerMs },
    );
  }

  /** Says it, and resolves with the answer. */
  async ask(content: string, more: Partial<Parameters<DiscordSimulator["say"]>[0]> = {}): Promise<string> {
    return (await this.replyTo(this.say(content, more))).content;
  }

  /** All that the bot has posted in a channel, oldest first. */
  posted(channelId: string = channels.general): readonly APIMessage[] {
    return this.discord.world.messages.in(channelId).filter((message) => message.author.id === botId);
  }

  /** The bodies of the model's requests, oldest first. */
  get asked(): readonly Asked[] {
    return this.claude.requests.filter(isMessage).map((request) => JSON.parse(request.rawBody));
  }

  /** Resolves when the model has been asked so often, held or not. */
  async untilAsked(times: number): Promise<void> {
    await this.claude.waitForRequest(() => this.claude.requests.filter(isMessage).length >= times);
  }
}

const isMessage = ({ path }: { readonly path: string }): boolean => path.startsWith("/v1/messages");

export interface Block {
  readonly type: string;
  readonly text?: string;
  readonly content?: string;
  readonly is_error?: boolean;
  readonly name?: string;
  readonly id?: string;
  readonly tool_use_id?: string;
  readonly cache_control?: unknown;
}

/** A request of the Messages API, as the product writes them: content is always blocks. */
export interface Asked {
  readonly system: readonly Block[];
  readonly tools?: readonly Block[];
  readonly messages: readonly { readonly role: string; readonly content: readonly Block[] }[];
}

/** All words of the request's messages, oldest first. */
export function words({ messages }: Asked): string {
  return messages
    .flatMap(({ content }) => content)
    .map(({ text, content }) => text ?? content ?? "")
    .join("\n");
}

/** The words of the newest message: what the person has just said, with what stands before it, or the tools' results. */
export function newest(asked: Asked | undefined): string {
  return asked === undefined ? "" : words({ ...asked, messages: asked.messages.slice(-1) });
}

/** The results that the newest message brings. */
export function results(asked: Asked | undefined): readonly Block[] {
  return asked?.messages.at(-1)?.content.filter(({ type }) => type === "tool_result") ?? [];
}
