import { type Actor, nowhere } from "../actor.ts";
import type { ApprovalGrant, Question } from "../agent/approvals.ts";
import type { ToolOutcomeKind } from "../agent/events.ts";
import type { Audience, OfferedTool } from "../agent/ports.ts";
import { AppError, type ErrorCode } from "../errors.ts";
import { FairSlots } from "../limits/fair-slots.ts";
import type { Metrics } from "../metrics.ts";
import { toActor, toUser } from "./audiences.ts";
import { createAudit } from "./audit.ts";
import { plain } from "./authority.ts";
import { type AuthorizeDeps, type Authorized, authorize } from "./authorize.ts";
import { leastBytes } from "./bound.ts";
import { createDeadlines, type UnderWay } from "./deadline.ts";
import type { PermissionFactsPort } from "./discord-port.ts";
import { escapingFrom } from "./escaping.ts";
import { doneWith, failure, type Progress } from "./outcome.ts";
import { mustAsk, type Switched, switched } from "./policy.ts";
import type { AuditSink } from "./ports.ts";
import { questionFor } from "./question.ts";
import { type Registered, register, type ToolInfo } from "./registered.ts";
import { fromChannel } from "./sources.ts";
import type { Given } from "./targets.ts";
import type { Tool } from "./tool.ts";
import { CallContext, type ContextDeps } from "./tool-context.ts";
import { markBytes, newDelimiter } from "./untrusted.ts";
import { assertHere, assertUsable, channelsOf, unknownTool } from "./usable.ts";

export interface ToolCall {
  readonly toolName: string;
  readonly input: unknown;
  readonly actor: Actor;
  /** Tools that the session has active; empty for all. */
  readonly activeTools: readonly string[];
  readonly sessionId: string | null;
  readonly turnId?: string | null;
  readonly tokenId?: string | null;
  /** What the turn has read before it; nothing for a direct call. */
  readonly sources?: readonly string[];
  /** Who reads what is said with its result; the actor alone when left out, as for a program's direct call. */
  readonly audience?: Audience;
  /** The yes that this call was given. */
  readonly approval?: ApprovalGrant | null;
  /** Names the call for ever, so that what it posts is recognised when it is sent twice; made up when left out. */
  readonly callId?: string;
  /** UTF-8 bytes of its result, in place of the registry's bound: for who is no model, or cuts it themselves. */
  readonly resultBytes?: number;
  /** Only whether a tool that reads may be called so: it is decided and written down as a call, and nothing is read. */
  readonly isOnlyAsked?: boolean;
  readonly signal: AbortSignal;
}

export interface ToolOutcome {
  /** `refused`: it did not run. `asked`: nor did it, `question` has to be answered first. `unknown`: it may have changed something. */
  readonly kind: ToolOutcomeKind;
  /** The result as a JSON value within its bound, of a call that is `done`. */
  readonly value?: unknown;
  /** What is missing from the value, when all of it was too large; it is of its tool's output nonetheless. */
  readonly truncated?: string;
  /** For the model: the result, marked as untrusted data, or the sentence that says what to do. */
  readonly text: string;
  readonly isError: boolean;
  readonly code?: ErrorCode;
  /** Further fields of an error, such as the path of a bad argument. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** What the result, or the sentence, was read from. */
  readonly sources: readonly string[];
  readonly retryAfterMs?: number;
  /** Of `asked` alone. */
  readonly question?: Question;
}

export interface Registry {
  /** All tools, in their one order, without what finds them for the model. */
  list(): readonly ToolInfo[];
  /**
   * Those that are switched on and make sense where the actor is, narrowed to the active ones. What Discord permits is
   * decided at each call.
   */
  usable(actor: Actor, activeTools: readonly string[]): readonly ToolInfo[];
  /** The same for the model: of the same order and bytes each time, so that they can be cached. */
  definitions(actor: Actor, activeTools: readonly string[]): readonly OfferedTool[];
  /** Whether a second run does no harm. Unknown names: true, they run nothing. */
  isRepeatable(toolName: string): boolean;
  /** The one way to run a tool. Throws nothing but the reason of the caller's signal, when that is aborted. */
  call(call: ToolCall): Promise<ToolOutcome>;
  /** Whether somebody could do now, as themselves, what that call does. Throws AppError as a call would be refused. */
  assertMayApprove(
    call: Pick<ToolCall, "toolName" | "input" | "actor" | "signal">,
    approver: Actor,
  ): Promise<void>;
}

/** Below it results could not keep their shape when they are cut. */
const leastResultBytes = leastBytes + markBytes;

export interface RegistryOptions extends ContextDeps {
  readonly tools: readonly Tool[];
  readonly facts: PermissionFactsPort;
  /** Take a point for each call that changes something, and for each channel looked up. Throw AppError `rate_limited`. */
  readonly limits: AuthorizeDeps["limits"] & {
    readonly changes: { take(userId: string): void | Promise<void> };
  };
  readonly audit: AuditSink;
  readonly metrics: Pick<Metrics, "toolCall">;
  /** Calls that are worked on at once; the others wait, for as long as they have, and are let in fairly. 64 if not given. */
  readonly callsAtOnce?: number;
  /** Milliseconds for one call, authorising included. */
  readonly timeoutMs: number;
  /** UTF-8 bytes of the text that the model is given: see `leastResultBytes`. */
  readonly resultBytes: number;
  /** For tests: what the delimiter is made by. */
  readonly delimiter?: () => string;
}

/** Throws when a tool is not fit to be offered: a fault of the program, seen at its start. */
export function createRegistry(options: RegistryOptions): Registry {
  const { policies, now, timeoutMs, resultBytes, delimiter = newDelimiter, callsAtOnce = 64 } = options;
  if (resultBytes < leastResultBytes)
    throw new Error(`A tool's result needs at least ${leastResultBytes} bytes.`);
  const tools = new Map(options.tools.map((tool) => [tool.name, register(tool)]));
  if (tools.size !== options.tools.length) throw new Error("Two tools have the same name.");
  const audit = createAudit(options);
  const deadlines = createDeadlines(timeoutMs);
  // Discord takes so many requests a second: more calls at once would only stand in each other's way, and whoever
  // floods would stand in the way of all.
  const slots = new FairSlots(callsAtOnce);
  const all = [...tools.values()];

  const listed = all.filter(({ tool }) => !tool.isFinder);
  const finders = all.filter(({ tool }) => tool.isFinder);

  /** What finds tools for the model is the model's alone: who is given the list can call what stands in it, and no more. */
  const toolOf = ({ toolName, turnId = null }: ToolCall): Registered | undefined => {
    const registered = tools.get(toolName);
    return registered?.tool.isFinder && turnId === null ? undefined : registered;
  };

  const usable = (actor: Actor, activeTools: readonly string[]) => {
    const policy = policies.of(actor.guildId);
    return listed.filter(
      ({ tool, needsGuild }) =>
        isOn(switched(tool, policy), actor) &&
        (!needsGuild || actor.guildId !== null) &&
        (activeTools.length === 0 || activeTools.includes(tool.name)),
    );
  };

  async function run(call: ToolCall, registered: Registered, progress: Progress): Promise<ToolOutcome> {
    const { tool, parse } = registered;
    assertUsable(registered, call, policies);
    const given: Given = parse(call.input);
    return deadlines.within(call.signal, tookTooLong(tool, timeoutMs), async (underWay) => {
      // The signal is made for those alone that have to wait.
      const leave = slots.tryAcquire(call.actor) ?? (await slots.acquire(call.actor, underWay.signal));
      try {
        return await work(call, registered, given, progress, underWay);
      } finally {
        leave();
      }
    });
  }

  async function work(
    call: ToolCall,
    { tool }: Registered,
    given: Given,
    progress: Progress,
    underWay: UnderWay,
  ): Promise<ToolOutcome> {
    const decided = authorize(tool, given, call.actor, options, { underWay, progress });
    const allowed = decided instanceof Promise ? await decided : decided;
    assertHere(tool, allowed, call, policies);
    underWay.throwIfOver();
    if (call.isOnlyAsked && tool.kind === "read") return finish(tool, { value: null, sources: [] }, call);
    const context = new CallContext(
      {
        actor: call.actor,
        allowed,
        sources: restsOn(call),
        audience: call.audience ?? toActor(call.actor),
        callId: call.callId ?? null,
        tools: () => usable(call.actor, call.activeTools).map(({ info }) => info),
        ...(tool.kind === "read" ? {} : { actorName: await nameOf(call.actor, allowed) }),
      },
      underWay,
      options,
    );
    if (tool.kind === "read") {
      progress.hasStarted = true;
      return finish(tool, await tool.run(given, allowed.places, context), call);
    }
    await options.limits.changes.take(call.actor.userId);
    const question = await ask(tool, given, allowed, call, underWay);
    if (question !== null) return asked(question);
    underWay.throwIfOver();
    progress.hasStarted = true;
    return finish(tool, await tool.run(given, allowed.places, context), call);
  }

  const finish = (tool: Tool, result: Parameters<typeof doneWith>[1], { resultBytes: own }: ToolCall) =>
    doneWith(tool.name, result, (own ?? resultBytes) - markBytes, delimiter);

  /** Null when it may run without being asked, or with the yes that it brings. */
  async function ask(
    tool: Exclude<Tool, { readonly kind: "read" }>,
    given: Given,
    { places }: Authorized,
    call: ToolCall,
    underWay: UnderWay,
  ): Promise<Question | null> {
    const { actor, approval = null } = call;
    const { signal } = underWay;
    const sources = restsOn(call);
    const about = { tool, given, places, actor, sources };
    const escaping = await escapingFrom(about, options.flow, signal);
    const asks = mustAsk(tool, policies.of(actor.guildId), actor, channelsOf(places));
    if (!asks && escaping.length === 0) return null;
    const question = await questionFor({ ...about, escaping }, options.flow, signal);
    if (approval?.fingerprint !== question.fingerprint) return question;
    const { approvedBy } = approval;
    if (approvedBy === actor.userId) return null;
    // What they let out has to be theirs to tell as well.
    const untold = await options.flow.restricted(toUser(approvedBy, actor.guildId), escaping, signal);
    if (untold.length > 0) return question;
    return (await mayStandIn(tool, given, actor, approvedBy, underWay)) ? null : question;
  }

  /** Whether somebody could do it themselves. Throws what keeps that from being established. */
  async function mayStandIn(
    tool: Tool,
    given: Given,
    actor: Actor,
    userId: string,
    underWay: UnderWay,
  ): Promise<boolean> {
    try {
      await authorizeApprover(tool, given, actor, { ...actor, kind: "user", userId }, underWay);
      return true;
    } catch (error) {
      if (error instanceof AppError && hasNoRight.includes(error.code)) return false;
      throw error;
    }
  }

  const authorizeApprover = async (
    tool: Tool,
    given: Given,
    actor: Actor,
    approver: Actor,
    underWay: UnderWay,
  ): Promise<Authorized> =>
    authorize(tool, spelledOut(tool, given, actor), approver, options, { underWay, progress: unnoted() });

  async function call(request: ToolCall): Promise<ToolOutcome> {
    request.signal.throwIfAborted();
    const started = now();
    const registered = toolOf(request);
    const progress = unnoted();
    let outcome: ToolOutcome;
    try {
      if (registered === undefined) throw unknownTool(request, usable);
      outcome = await run(request, registered, progress);
    } catch (error) {
      outcome = failure(error, registered?.tool ?? null, request, progress);
    }
    const written = audit(request, registered?.tool ?? null, outcome, progress.targets, started);
    if (written !== null) await written;
    // What was done before the caller gave up is still told.
    if (outcome.code === "cancelled") request.signal.throwIfAborted();
    return outcome;
  }

  return {
    list: () => listed.map(({ info }) => info),
    usable: (actor, activeTools) => usable(actor, activeTools).map(({ info }) => info),
    definitions: (actor, activeTools) =>
      [...usable(actor, activeTools), ...finders].map(({ offered }) => offered),
    isRepeatable: (toolName) => tools.get(toolName)?.tool.repeatable ?? true,
    call,
    async assertMayApprove(request, approver) {
      const registered = tools.get(request.toolName);
      if (registered === undefined) throw unknownTool(request, usable);
      const { tool, parse } = registered;
      const given: Given = parse(request.input);
      await deadlines.within(request.signal, tookTooLong(tool, timeoutMs), (underWay) =>
        authorizeApprover(tool, given, request.actor, approver, underWay),
      );
    },
  };
}

/** What is switched on where the actor speaks is not where they speak from nowhere. */
const isOn = (on: Switched, { channelId }: Actor): boolean =>
  on === "on" || (on === "here" && channelId !== nowhere);

const hasNoRight: readonly ErrorCode[] = ["permission_denied", "not_found"];
const unnoted = (): Progress => ({ targets: [], sources: [], hasStarted: false });

/** Who is meant by "oneself" is the actor, whoever looks at it in their place. */
function spelledOut(tool: Tool, given: Given, { userId }: Actor): Given {
  const oneself = Object.values(tool.targets).flatMap((spec) =>
    "absent" in spec && spec.absent === "self" && spec.argument !== null && given[spec.argument] === undefined
      ? [[spec.argument, userId]]
      : [],
  );
  return oneself.length === 0 ? given : { ...given, ...Object.fromEntries(oneself) };
}

/** As Discord's audit log is to show them. */
async function nameOf({ kind, userId, guildId }: Actor, { authority }: Authorized): Promise<string> {
  const name = kind === "bot" || guildId === null ? undefined : (await authority.member(userId))?.name;
  return name === undefined ? "user" : `@${plain(name)}`;
}

/**
 * What the arguments may rest on: what the turn has read, and what was said where it takes place. A program that calls
 * directly has read nothing here.
 */
function restsOn({ sources = [], turnId = null, actor }: ToolCall): readonly string[] {
  return turnId === null ? sources : [...new Set([fromChannel(actor.channelId), ...sources])];
}

function asked(question: Question): ToolOutcome {
  return {
    kind: "asked",
    text: "This waits for a person's yes.",
    isError: true,
    code: "approval_required",
    sources: [],
    question,
  };
}

function tookTooLong(tool: Tool, timeoutMs: number) {
  return () =>
    new AppError(
      "timeout",
      `${tool.name} took longer than ${Math.round(timeoutMs / 100) / 10} s and was stopped; try again, or ask for less.`,
    );
}
