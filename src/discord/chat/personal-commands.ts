import type { API } from "@discordjs/core";
import { Lru } from "../../lru.ts";
import { isAnything } from "../fits.ts";
import { isRefusal } from "../posts/direct-channels.ts";
import { postNonce } from "../posts/nonce.ts";
import type { Notices } from "../posts/notices.ts";
import { isChannel } from "../promised-shapes.ts";
import { ask } from "../rest/errors.ts";
import type { Incoming } from "./incoming.ts";

/** What is stored of a person, as far as they can have it in chat. Implemented by `app/personal.ts`. */
export interface PersonalData {
  /**
   * Stores the wish together with the message's tombstone: it is carried out after that, and whoever wrote the message
   * is told so. Nothing happens for a message that was seen before.
   */
  forget(
    userId: string,
    message: { readonly id: string; readonly channelId: string; readonly isDirect: boolean },
  ): Promise<void>;
  /** As a JSON document; null when it is larger than that. */
  export(userId: string, maxBytes: number): Promise<string | null>;
}

export interface PersonalCommandDeps {
  readonly personal: PersonalData;
  readonly notices: Pick<Notices, "tell">;
  readonly api: API;
  readonly prefix: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

export const personalCommandNames = ["forget", "forget yes", "export"] as const;
export type PersonalCommandName = (typeof personalCommandNames)[number];

const confirmMs = 10 * 60_000;
/** Reading all of it, or looking through everything for a person, is work that others wait behind. */
const againMs = 10 * 60_000;
/** Below what Discord takes as an attachment, https://discord.com/developers/docs/reference#uploading-files */
const exportBytes = 8 * 1024 * 1024;
const peopleBound = 10_000;

/**
 * The commands that are about what is stored of the person. They are answered without a session, since one would be
 * stored; what is remembered between two of them is in memory alone.
 */
export class PersonalCommands {
  readonly #deps: PersonalCommandDeps;
  readonly #askedAt = new Lru<number>(peopleBound);
  readonly #exportedAt = new Lru<number>(peopleBound);
  readonly #forgottenAt = new Lru<number>(peopleBound);

  constructor(deps: PersonalCommandDeps) {
    this.#deps = deps;
  }

  async run(command: PersonalCommandName, message: Incoming): Promise<void> {
    switch (command) {
      case "forget":
        return this.#ask(message);
      case "forget yes":
        return this.#forget(message);
      case "export":
        return this.#export(message);
      default:
        return command satisfies never;
    }
  }

  async #ask(message: Incoming): Promise<void> {
    const { notices, prefix, now } = this.#deps;
    const minutes = this.#minutesLeft(this.#forgottenAt, message.authorId);
    if (minutes > 0) {
      await notices.tell(message, `I have forgotten you just now; ask again in ${minutes} min.`);
      return;
    }
    this.#askedAt.set(message.authorId, now());
    const text = [
      "I would delete everything that I keep about you, in all servers and direct messages: our conversations, what I was to remember, your preferences, your sessions and your tokens. What I am working on for you stops. It cannot be undone.",
      `Write \`${prefix}forget yes\` within 10 minutes if you want that. \`${prefix}export\` sends you a copy first.`,
    ].join("\n");
    await notices.tell(message, text);
  }

  async #forget(message: Incoming): Promise<void> {
    const { personal, notices, prefix, now } = this.#deps;
    const { id, channelId, guildId, authorId } = message;
    const askedAt = this.#askedAt.get(authorId);
    if (askedAt === undefined || now() - askedAt > confirmMs) {
      await notices.tell(message, `Write \`${prefix}forget\` first: I then say what would be deleted.`);
      return;
    }
    await personal.forget(authorId, { id, channelId, isDirect: guildId === null });
    this.#askedAt.delete(authorId);
    this.#exportedAt.delete(authorId);
    this.#forgottenAt.set(authorId, now());
  }

  async #export(message: Incoming): Promise<void> {
    const { notices, now } = this.#deps;
    const { authorId } = message;
    const minutes = this.#minutesLeft(this.#exportedAt, authorId);
    if (minutes > 0) {
      await notices.tell(message, `I have sent you a copy just now; ask again in ${minutes} min.`);
      return;
    }
    const text = await this.#send(message);
    if (text === sent) this.#exportedAt.set(authorId, now());
    await notices.tell(message, text);
  }

  #minutesLeft(times: Lru<number>, userId: string): number {
    const before = times.get(userId);
    return before === undefined ? 0 : Math.max(0, Math.ceil((before + againMs - this.#deps.now()) / 60_000));
  }

  /** To the person's direct channel alone. Returns what they are told where they wrote. */
  async #send({ id, authorId }: Incoming): Promise<string> {
    const { personal, api, signal } = this.#deps;
    const json = await personal.export(authorId, exportBytes);
    if (json === null)
      return "What I keep about you is too large to be sent here. Ask whoever runs me for it: they get it with `discord-mcp export` and your user id.";
    try {
      const channel = await ask(
        signal,
        "direct channel",
        (s) => api.users.createDM(authorId, { signal: s }),
        isChannel,
      );
      await ask(
        signal,
        "direct message",
        (s) =>
          api.channels.createMessage(
            channel.id,
            {
              content: "Everything that I keep about you.",
              files: [{ name: "export.json", data: json, contentType: "application/json" }],
              allowed_mentions: { parse: [] },
              nonce: postNonce("notice", id, 1, 0),
              enforce_nonce: true,
            },
            { signal: s },
          ),
        isAnything,
      );
      return sent;
    } catch (error) {
      return isRefusal(error) ? refused : failed;
    }
  }
}

const sent = "I have sent you a file with everything that I keep about you, in a direct message.";
const refused =
  "I could not send you a direct message, and would not put this anywhere else. Allow direct messages in this server's privacy settings, then ask again.";
const failed = "Discord did not take the file just now. Please ask again in a few minutes.";
