import type { APIChannel } from "discord-api-types/v10";
import type { Static, TObject, TSchema } from "typebox";
import type { Actor } from "../actor.ts";
import type { Audience } from "../agent/ports.ts";
import type { ToolPolicy } from "../config/tool-policy.ts";
import type { Authority } from "./authority.ts";
import type { DiscordReader, DiscordWriter } from "./discord-port.ts";
import type { Files, MemoryStore, SentMessages } from "./ports.ts";
import type { Places, TargetSpecs } from "./targets.ts";

/** By what tools are switched on and off together; a folder each. */
export const families = [
  "messages",
  "reactions",
  "channels",
  "threads",
  "members",
  "roles",
  "permissions",
  "server",
  "users",
  "memory",
] as const;
export type Family = (typeof families)[number];

/** A tool as another one tells of it. */
export interface KnownTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: unknown;
}

/** What a tool runs with: on behalf of the actor, with the facts that its call was authorised by. */
export interface ReadContext {
  readonly actor: Actor;
  readonly discord: DiscordReader;
  readonly authority: Authority;
  readonly memories: MemoryStore;
  readonly files: Pick<Files, "attachment">;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Whether the actor may see a channel; for filtering what a tool returns. Fails closed. */
  readonly canSee: (channelId: string) => Promise<boolean>;
  /** Those of the channels of the actor's guild (threads apart) that the actor may see: no request for each. Fails closed. */
  readonly visible: (channels: readonly APIChannel[]) => Promise<readonly APIChannel[]>;
  /** What the turn has read before this call, and so what its arguments may rest on. */
  readonly sources: readonly string[];
  /** What the operator allows where the actor is. */
  readonly policy: ToolPolicy;
  /** Who reads what is said with the result: those in the channel, or the actor alone. */
  readonly audience: Audience;
  /** Those of the sources that not everybody of that audience can read. */
  readonly restricted: (sources: readonly string[]) => Promise<readonly string[]>;
  /** The tools that can be used here, in their one order. */
  readonly tools: () => readonly KnownTool[];
}

/** What a check may look at besides. */
export type CheckContext = Pick<ReadContext, "discord" | "now" | "policy" | "signal">;

export interface ChangeContext extends ReadContext {
  readonly change: DiscordWriter;
  readonly sent: SentMessages;
  readonly files: Files;
  /** For Discord's audit log: who it is done for, and why. */
  readonly reason: (why?: string) => string;
  /** The same for the same call, so that Discord recognises a message that is sent twice. */
  readonly nonce: () => string;
}

/** A JSON value as a tool gives it: nobody changes it any more. */
export type Told<Value> = Value extends object ? { readonly [Key in keyof Value]: Told<Value[Key]> } : Value;

export interface ToolResult<Value = unknown> {
  /**
   * A JSON value of the tool's `output`. Text in it that people on Discord wrote is data; the registry marks the whole.
   * In its lists the most important comes first (of messages the newest): what is too much is cut from their ends.
   */
  readonly value: Told<Value>;
  /** What it was read from: see `sources.ts`. */
  readonly sources: readonly string[];
}

interface Common<Input extends TObject, Specs extends TargetSpecs, Output extends TSchema> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly family: Family;
  readonly input: Input;
  /** What its results look like. It leaves lists and texts unbounded below: what is too large is cut within it. */
  readonly output: Output;
  readonly targets: Specs;
  /** Running it twice does no more than running it once. */
  readonly repeatable: boolean;
  /** Always in front of the model; the others are found when they are needed. */
  readonly isCore?: true;
  /** Finds the others for the model: whoever else asks has them listed, so it is not; and no policy switches it off. */
  readonly isFinder?: true;
  /** What the permissions of the targets do not say: throws AppError `permission_denied` or `invalid_arguments`. */
  check?(
    input: Static<Input>,
    places: Places<Specs>,
    authority: Authority,
    by: CheckContext,
  ): Promise<void> | void;
}

export interface ReadTool<Input extends TObject, Specs extends TargetSpecs, Output extends TSchema>
  extends Common<Input, Specs, Output> {
  readonly kind: "read";
  run(input: Static<Input>, places: Places<Specs>, context: ReadContext): Promise<ToolResult<Static<Output>>>;
}

export interface ChangeTool<Input extends TObject, Specs extends TargetSpecs, Output extends TSchema>
  extends Common<Input, Specs, Output> {
  /** `destroy`: deleting, removing people, roles and permissions, many things at once. It always asks. */
  readonly kind: "write" | "destroy";
  /**
   * When it asks, other than where the policy says so. `never` for the person's own things, `elsewhere` for an answer
   * where they speak: both ask only when private words would get out. `always` for what reaches beyond Discord.
   */
  readonly asks?: "never" | "elsewhere" | "always";
  /** In plain words, as a question that ends in "?": what will happen, to what. Names people and places as Discord shows them. */
  question(input: Static<Input>, places: Places<Specs>): string;
  /** Who will be able to read what it writes. */
  audience(input: Static<Input>, places: Places<Specs>, actor: Actor): Audience;
  run(
    input: Static<Input>,
    places: Places<Specs>,
    context: ChangeContext,
  ): Promise<ToolResult<Static<Output>>>;
}

export type ToolOf<Input extends TObject, Specs extends TargetSpecs, Output extends TSchema> =
  | ReadTool<Input, Specs, Output>
  | ChangeTool<Input, Specs, Output>;

/** Any tool, as the registry holds them. */
export type Tool = ToolOf<TObject, TargetSpecs, TSchema>;

/**
 * Gives the tool back, with the types of its arguments, of what they name and of its result taken from what it states. It
 * cannot be written without saying what it needs; one that changes something not without its question and its audience.
 */
export function defineTool<Input extends TObject, const Specs extends TargetSpecs, Output extends TSchema>(
  tool: ToolOf<Input, Specs, Output>,
): ToolOf<Input, Specs, Output> {
  return tool;
}
