import { Lru } from "../../lru.ts";
import type { Incoming } from "../chat/incoming.ts";
import type { Outbox, SeenMessages } from "../ports.ts";
import { planPosts } from "./posts.ts";

const peopleBound = 10_000;
const refusalEveryMs = 60_000;

export interface NoticeDeps {
  readonly outbox: Outbox;
  readonly seen: SeenMessages;
  readonly now: () => number;
  /** There are posts to be sent. */
  readonly wake: () => void;
}

/** What a person is told without a turn. Stored together with the tombstone of the message, so that it is said once. */
export class Notices {
  readonly #deps: NoticeDeps;
  readonly #refusedAt = new Lru<number>(peopleBound);

  constructor(deps: NoticeDeps) {
    this.#deps = deps;
  }

  async tell(message: Incoming, text: string): Promise<void> {
    const posts = planPosts({
      purpose: "notice",
      subject: message.id,
      channelId: message.channelId,
      replyToMessageId: message.id,
      userId: message.authorId,
      text,
    });
    if (await this.#deps.outbox.planNotice(message.id, message.channelId, posts)) this.#deps.wake();
  }

  /** Says why a message is not taken, to each person at most once a minute: whoever floods would make us flood. */
  async refuse(message: Incoming, text: string): Promise<void> {
    const now = this.#deps.now();
    const before = this.#refusedAt.get(message.authorId);
    if (before !== undefined && now - before < refusalEveryMs) {
      await this.#deps.seen.add(message.id, message.channelId);
      return;
    }
    this.#refusedAt.set(message.authorId, now);
    await this.tell(message, text);
  }
}
