import type { APIChannel } from "discord-api-types/v10";
import type { Static, TObject } from "typebox";
import type { Actor } from "../actor.ts";
import type { DiscordReader } from "./discord-port.ts";

/** What an argument, or the place that the actor speaks from, points at. */
export type Target =
  | { readonly kind: "channel"; readonly channelId: string }
  | { readonly kind: "guild"; readonly guildId: string }
  | { readonly kind: "member"; readonly guildId: string; readonly userId: string }
  | { readonly kind: "user"; readonly userId: string };

/** A target and the Discord permissions that both the actor and the bot need there (bits of PermissionFlagsBits). */
export interface Need {
  readonly target: Target;
  readonly permissions: bigint;
}

export interface ToolContext {
  readonly actor: Actor;
  readonly discord: DiscordReader;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Whether the actor may see a channel; for filtering what a tool returns. Fails closed. */
  readonly canSee: (channelId: string) => Promise<boolean>;
  /** Those of the channels of the actor's guild (threads apart) that the actor may see: no request for each. Fails closed. */
  readonly visible: (channels: readonly APIChannel[]) => Promise<readonly APIChannel[]>;
}

export interface ToolResult {
  /**
   * A JSON value. Text in it that people on Discord wrote is data; the registry marks the whole. In its lists
   * the most important comes first (of messages the newest): what is too much is cut from their ends.
   */
  readonly value: unknown;
  /** Discord places that it was read from ("channel:1", "guild:2", "user:3"). */
  readonly sources: readonly string[];
}

/**
 * A tool. It cannot be written without saying what it needs: `needs` is asked before `run`, with valid
 * arguments, and may resolve what they name; what it does not name, `run` must not touch.
 */
export interface Tool<Input extends TObject = TObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly kind: "read" | "write" | "destroy";
  /** Running it twice does no more than running it once. */
  readonly repeatable: boolean;
  /** `guild`: makes no sense in direct messages, and is not offered there. */
  readonly place?: "guild";
  needs(input: Static<Input>, actor: Actor): readonly Need[];
  run(input: Static<Input>, context: ToolContext): Promise<ToolResult>;
}

/** Gives the tool back, with the type of its arguments taken from its schema. */
export function defineTool<Input extends TObject>(tool: Tool<Input>): Tool<Input> {
  return tool;
}
