/**
 * On whose behalf something happens: a Discord user, with the guild and channel that they speak from, or
 * the bot itself (which only a token of the scope `act:bot` can be). Every turn and every tool call has one.
 */
export interface Actor {
  readonly kind: "user" | "bot";
  /** The Discord user; for `bot`, the bot's own user id, or "0" while it is unknown. */
  readonly userId: string;
  /** `null` in a direct message. */
  readonly guildId: string | null;
  /** `nowhere` for a program that speaks from no channel. */
  readonly channelId: string;
}

/**
 * In place of a channel, for a program that speaks from none: what it means it must name. No channel has this id
 * (Discord's begin with the time of their making).
 */
export const nowhere = "0";

/** A person or a guild whose things are deleted. */
export interface Forgotten {
  readonly kind: "user" | "guild";
  readonly id: string;
}

/** Who acts, and where: whose things what they do becomes. */
export type Whose = Pick<Actor, "userId" | "guildId">;

/** Does for somebody what may store something of theirs, so that erasing it waits for that. */
export type OnBehalf = <Value>(of: Whose, work: () => Promise<Value>) => Promise<Value>;

/** For what is done where nobody is ever forgotten. */
export const atOnce: OnBehalf = (_of, work) => work();

/** Begins to hear of those whose things have just been deleted; gives what ends that. */
export type OnForgotten = (listener: (whose: Forgotten) => void) => () => void;

/** Whether what somebody has done at a place goes with them, or with the guild. */
export const goesWith = ({ kind, id }: Forgotten, at: Whose): boolean =>
  id === (kind === "user" ? at.userId : at.guildId);
