import { type Actor, atOnce, nowhere } from "../actor.ts";
import type { OfferedTool } from "../agent/ports.ts";
import type { Metrics } from "../metrics.ts";
import { createAudit } from "./audit.ts";
import type { ToolCall, ToolOutcome } from "./call.ts";
import { failure, noProgress } from "./outcome.ts";
import { type Switched, switched } from "./policy.ts";
import type { AuditSink } from "./ports.ts";
import { type Registered, register, type ToolInfo } from "./registered.ts";
import { createRunner, type RunnerOptions } from "./run-call.ts";
import type { Tool } from "./tool.ts";
import { unknownTool } from "./usable.ts";

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

export interface RegistryOptions extends RunnerOptions {
  readonly tools: readonly Tool[];
  readonly audit: AuditSink;
  readonly metrics: Pick<Metrics, "toolCall">;
}

/** Throws when a tool is not fit to be offered: a fault of the program, seen at its start. */
export function createRegistry(options: RegistryOptions): Registry {
  const { policies, now, onBehalf = atOnce } = options;
  const tools = new Map(options.tools.map((tool) => [tool.name, register(tool)]));
  if (tools.size !== options.tools.length) throw new Error("Two tools have the same name.");
  const all = [...tools.values()];
  const listed = all.filter(({ tool }) => !tool.isFinder);
  const finders = all.filter(({ tool }) => tool.isFinder);
  const audit = createAudit(options);
  const runner = createRunner(options, (actor, activeTools) => infos(usable(actor, activeTools)));

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

  async function call(request: ToolCall): Promise<ToolOutcome> {
    request.signal.throwIfAborted();
    let isIn = false;
    const work = () => {
      isIn = true;
      return answer(request);
    };
    try {
      return await onBehalf(request.actor, work);
    } catch (error) {
      if (isIn) throw error;
      // Without a row in the audit log: it would name somebody who is being forgotten.
      return failure(error, toolOf(request)?.tool ?? null, request, noProgress());
    }
  }

  async function answer(request: ToolCall): Promise<ToolOutcome> {
    const started = now();
    const registered = toolOf(request);
    const progress = noProgress();
    let outcome: ToolOutcome;
    try {
      if (registered === undefined) throw unknownTool(request, usable);
      outcome = await runner.run(request, registered, progress);
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
    list: () => infos(listed),
    usable: (actor, activeTools) => infos(usable(actor, activeTools)),
    definitions: (actor, activeTools) =>
      [...usable(actor, activeTools), ...finders].map(({ offered }) => offered),
    isRepeatable: (toolName) => tools.get(toolName)?.tool.repeatable ?? true,
    call,
    async assertMayApprove(request, approver) {
      const registered = tools.get(request.toolName);
      if (registered === undefined) throw unknownTool(request, usable);
      await runner.assertMayApprove(request, registered, approver);
    },
  };
}

const infos = (registered: readonly Registered[]): readonly ToolInfo[] => registered.map(({ info }) => info);

/** What is switched on where the actor speaks is not where they speak from nowhere. */
const isOn = (on: Switched, { channelId }: Actor): boolean =>
  on === "on" || (on === "here" && channelId !== nowhere);
