import { type Actor, atOnce, type OnBehalf } from "../actor.ts";
import { AppError } from "../errors.ts";
import { FairSlots } from "../limits/fair-slots.ts";
import { plain } from "./authority.ts";
import { type AuthorizeDeps, type Authorized, authorize, type Deciding } from "./authorize.ts";
import { leastBytes } from "./bound.ts";
import type { ToolCall, ToolOutcome } from "./call.ts";
import { createConsent } from "./consent.ts";
import { createDeadlines, type UnderWay } from "./deadline.ts";
import type { PermissionFactsPort } from "./discord-port.ts";
import { askedBefore, doneWith, type Progress } from "./outcome.ts";
import type { Registered, ToolInfo } from "./registered.ts";
import type { Given } from "./targets.ts";
import type { Tool } from "./tool.ts";
import { CallContext, type ContextDeps } from "./tool-context.ts";
import { markBytes, newDelimiter } from "./untrusted.ts";
import { assertHere, assertUsable } from "./usable.ts";

export interface RunnerOptions extends ContextDeps {
  readonly facts: PermissionFactsPort;
  /** Take a point for each call that changes something, and for each channel looked up. Throw AppError `rate_limited`. */
  readonly limits: AuthorizeDeps["limits"] & {
    readonly changes: { take(userId: string): Promise<void> };
  };
  /** Calls that are worked on at once; the others wait, for as long as they have, and are let in fairly. 64 if not given. */
  readonly callsAtOnce?: number;
  /** Milliseconds for one call, authorising included. */
  readonly timeoutMs: number;
  /** UTF-8 bytes of the text that the model is given: see `leastResultBytes`. */
  readonly resultBytes: number;
  /** What each call is done by. Throws AppError instead where its actor is being forgotten. */
  readonly onBehalf?: OnBehalf;
  /** For tests: what the delimiter is made by. */
  readonly delimiter?: () => string;
}

export interface Runner {
  /** From the arguments to the result. Throws AppError and what a tool throws, at once or later; `progress` tells how far it came. */
  run(call: ToolCall, registered: Registered, progress: Progress): Promise<ToolOutcome>;
  /** Whether somebody could do now, as themselves, what that call does. Throws AppError as a call would be refused. */
  assertMayApprove(
    call: Pick<ToolCall, "input" | "actor" | "signal">,
    registered: Registered,
    approver: Actor,
  ): Promise<void>;
}

interface Running extends Deciding {
  readonly call: ToolCall;
  readonly underWay: UnderWay;
}

/** Below it results could not keep their shape when they are cut. */
const leastResultBytes = leastBytes + markBytes;

/** What each call goes through: validated, let in, authorised, asked about, run and bounded, all within its time. */
export function createRunner(
  options: RunnerOptions,
  usable: (actor: Actor, activeTools: readonly string[]) => readonly ToolInfo[],
): Runner {
  const { policies, limits, timeoutMs, resultBytes, delimiter = newDelimiter, callsAtOnce = 64 } = options;
  const { onBehalf = atOnce } = options;
  if (resultBytes < leastResultBytes)
    throw new Error(`A tool's result needs at least ${leastResultBytes} bytes.`);
  const consent = createConsent(options);
  const deadlines = createDeadlines(timeoutMs, (name) => tookTooLong(name, timeoutMs));
  // Discord takes so many requests a second: more calls at once would only stand in each other's way, and whoever
  // floods would stand in the way of all.
  const slots = new FairSlots(callsAtOnce);

  async function work({ tool }: Registered, given: Given, running: Running): Promise<ToolOutcome> {
    const { call, underWay } = running;
    // The signal is made for those alone that have to wait.
    const leave = slots.tryAcquire(call.actor) ?? (await slots.acquire(call.actor, underWay.signal));
    try {
      const decided = authorize(tool, given, call.actor, options, running);
      const allowed = decided instanceof Promise ? await decided : decided;
      assertHere(tool, allowed, call, policies);
      underWay.throwIfOver();
      if (tool.kind !== "read") return await change(tool, given, allowed, running);
      if (call.isOnlyAsked) return finish(tool, { value: null, sources: [] }, call);
      running.progress.hasStarted = true;
      const context = new CallContext({ call, allowed, underWay, actorName: null, usable }, options);
      return finish(tool, await tool.run(given, allowed.places, context), call);
    } finally {
      leave();
    }
  }

  async function change(
    tool: Exclude<Tool, { readonly kind: "read" }>,
    given: Given,
    allowed: Authorized,
    { call, underWay, progress }: Running,
  ): Promise<ToolOutcome> {
    const actorName = await nameOf(call.actor, allowed);
    const context = new CallContext({ call, allowed, underWay, actorName, usable }, options);
    await limits.changes.take(call.actor.userId);
    const question = await consent.ask(tool, given, allowed, call, underWay);
    if (question !== null) return askedBefore(question);
    underWay.throwIfOver();
    progress.hasStarted = true;
    return finish(tool, await tool.run(given, allowed.places, context), call);
  }

  const finish = (tool: Tool, result: Parameters<typeof doneWith>[1], { resultBytes: own }: ToolCall) =>
    doneWith(tool.name, result, (own ?? resultBytes) - markBytes, delimiter);

  return {
    run(call, registered, progress) {
      const { tool, parse } = registered;
      assertUsable(registered, call, policies);
      const given: Given = parse(call.input);
      return deadlines.within(call.signal, tool.name, (underWay) =>
        // What has run out of time may still write something, and is under way until it ends.
        onBehalf(call.actor, () => work(registered, given, { call, underWay, progress })),
      );
    },
    async assertMayApprove({ input, actor, signal }, { tool, parse }, approver) {
      const given: Given = parse(input);
      await deadlines.within(signal, tool.name, (underWay) =>
        consent.assertMayStandIn(tool, given, actor, approver, underWay),
      );
    },
  };
}

/** As Discord's audit log is to show them. */
async function nameOf({ kind, userId, guildId }: Actor, { authority }: Authorized): Promise<string> {
  const name = kind === "bot" || guildId === null ? undefined : (await authority.member(userId))?.name;
  return name === undefined ? "user" : `@${plain(name)}`;
}

function tookTooLong(toolName: string, timeoutMs: number): AppError {
  return new AppError(
    "timeout",
    `${toolName} took longer than ${Math.round(timeoutMs / 100) / 10} s and was stopped; try again, or ask for less.`,
  );
}
