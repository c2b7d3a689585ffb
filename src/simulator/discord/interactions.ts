import type { APIMessage, APIUser, InteractionType } from "discord-api-types/v10";
import type { AnyChannel } from "./world.ts";

/** https://discord.com/developers/docs/interactions/receiving-and-responding#responding-to-an-interaction */
const firstResponseMs = 3000;
const tokenMs = 15 * 60_000;
const bound = 1000;

/** An interaction that a person began: what the application may still do about it. */
export interface OpenInteraction {
  readonly id: string;
  readonly token: string;
  readonly type: InteractionType;
  readonly user: APIUser;
  readonly channel: AnyChannel;
  /** Of a command, what answers carry as `interaction_metadata`. */
  readonly commandName: string | null;
  /** The message whose button was pressed. */
  readonly message: APIMessage | null;
  readonly createdAt: number;
  isAnswered: boolean;
  /** What the first answer made, once there is a message of it. */
  original: APIMessage | null;
  /** Ephemeral answers, which are in no channel. */
  readonly hidden: Map<string, APIMessage>;
}

export class InteractionStore {
  readonly #now: () => number;
  readonly #byToken = new Map<string, OpenInteraction>();

  constructor(now: () => number) {
    this.#now = now;
  }

  add(interaction: OpenInteraction): void {
    this.#byToken.set(interaction.token, interaction);
    const oldest = this.#byToken.keys().next().value;
    if (this.#byToken.size > bound && oldest !== undefined) this.#byToken.delete(oldest);
  }

  /** Null once the three seconds for a first answer are over. */
  awaiting(id: string, token: string): OpenInteraction | null {
    const found = this.#byToken.get(token);
    if (found === undefined || found.id !== id) return null;
    return found.isAnswered || this.#now() - found.createdAt <= firstResponseMs ? found : null;
  }

  /** Null once the quarter of an hour of its token is over. */
  open(token: string): OpenInteraction | null {
    const found = this.#byToken.get(token);
    return found !== undefined && this.#now() - found.createdAt <= tokenMs ? found : null;
  }
}
