import type { Actor } from "../actor.ts";
import { AppError, toAppError } from "../errors.ts";
import { type Authority, createAuthority } from "./authority.ts";
import type { UnderWay } from "./deadline.ts";
import type { DiscordReader, PermissionFactsPort } from "./discord-port.ts";
import { find } from "./find.ts";
import type { Progress } from "./outcome.ts";
import type { Policies } from "./policy.ts";
import type { SentMessages } from "./ports.ts";
import { placesSources } from "./question.ts";
import { fromChannel } from "./sources.ts";
import { createStandings } from "./standings.ts";
import type { Given, Place } from "./targets.ts";
import type { Tool } from "./tool.ts";

export interface AuthorizeDeps {
  readonly facts: PermissionFactsPort;
  readonly discord: DiscordReader;
  readonly policies: Policies;
  readonly sent: Pick<SentMessages, "lastAt" | "userOf">;
  /** Takes a point of the person's for a channel that has to be looked up. Throws AppError `rate_limited`. */
  readonly limits: { readonly lookups: { take(userId: string): Promise<void> } };
  readonly now: () => number;
}

/** The one call that is decided about. */
export interface Deciding {
  readonly underWay: Pick<UnderWay, "signal">;
  readonly progress: Progress;
}

/** A call that may be made: what its arguments name, and the facts that it was decided by. */
export interface Authorized {
  readonly places: Readonly<Record<string, Place | null>>;
  readonly authority: Authority;
}

/**
 * Resolves when the actor and the bot may each do what the call is about. Throws AppError: `not_found` for what the
 * actor cannot see (the same answer as for an id that does not exist), `permission_denied` naming what is missing,
 * `invalid_arguments`, `rate_limited` for slow mode, or, since what cannot be established is refused, the code of
 * what kept the facts away.
 */
export function authorize(
  tool: Tool,
  given: Given,
  actor: Actor,
  deps: AuthorizeDeps,
  call: Deciding,
): Promise<Authorized> | Authorized {
  const namesNothing = Object.keys(tool.targets).length === 0 && tool.check === undefined;
  return namesNothing ? new Unguarded(actor, deps, call) : findAndCheck(tool, given, actor, deps, call);
}

/** There is nothing to decide; what the tool asks about others itself is made when it does. */
class Unguarded implements Authorized {
  readonly places = {};
  readonly #actor: Actor;
  readonly #deps: AuthorizeDeps;
  readonly #call: Deciding;
  #authority: Authority | null = null;

  constructor(actor: Actor, deps: AuthorizeDeps, call: Deciding) {
    this.#actor = actor;
    this.#deps = deps;
    this.#call = call;
  }

  get authority(): Authority {
    this.#authority ??= decidersFor(this.#actor, this.#deps, this.#call).authority;
    return this.#authority;
  }
}

function decidersFor(actor: Actor, { facts, policies, now }: AuthorizeDeps, { underWay }: Deciding) {
  const trustsMfa = (guildId: string) => policies.of(guildId).moderatorsUse2fa;
  const standings = createStandings({ facts, now, signal: underWay.signal, trustsMfa });
  return { standings, authority: createAuthority(actor, standings) };
}

async function findAndCheck(
  tool: Tool,
  given: Given,
  actor: Actor,
  deps: AuthorizeDeps,
  call: Deciding,
): Promise<Authorized> {
  const { discord, policies, sent, limits, now } = deps;
  const { underWay, progress } = call;
  const { standings, authority } = decidersFor(actor, deps, call);
  const { signal } = underWay;
  try {
    await assertNoBorrowedPower(actor, await standings.botUserId());
    const places = await find(tool.targets, given, {
      actor,
      standings,
      authority,
      discord,
      lastAt: (channelId, userId) => sent.lastAt(channelId, userId),
      postedFor: (messageId) => sent.userOf(messageId),
      now,
      signal,
      onLookup: () => limits.lookups.take(actor.userId),
      onTarget: (target) => void progress.targets.push(target),
      onPlace: (place) => void progress.sources.push(...placesSources({ place })),
      onNamed: (channelId) => void progress.sources.push(fromChannel(channelId)),
    });
    await tool.check?.(given, places, authority, {
      discord,
      now,
      signal,
      policy: policies.of(actor.guildId),
    });
    return { places, authority };
  } catch (error) {
    throw asRefusal(error);
  }
}

async function assertNoBorrowedPower(actor: Actor, botUserId: string): Promise<void> {
  if (actor.kind === "bot" ? actor.userId === botUserId : actor.userId !== botUserId) return;
  throw new AppError(
    "permission_denied",
    "The bot's own power needs an API token with the scope act:bot; open the session for a person.",
  );
}

/** Says of itself that nothing was done, and why. */
const plainRefusals: readonly string[] = [
  "not_found",
  "permission_denied",
  "invalid_arguments",
  "timeout",
  "rate_limited",
  "tool_inactive",
];

function asRefusal(error: unknown): AppError {
  const { code, message, retryAfterMs } = toAppError(error);
  if (error instanceof AppError && plainRefusals.includes(code)) return error;
  return new AppError(
    code,
    code === "internal_error"
      ? "Whether this is allowed could not be established because of a fault on our side, so it was not done."
      : `Whether this is allowed could not be established, so it was not done: ${message}`,
    { cause: error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  );
}
