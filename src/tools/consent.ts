import type { Actor } from "../actor.ts";
import type { Question } from "../agent/approvals.ts";
import type { FlowPort } from "../agent/ports.ts";
import { AppError, type ErrorCode } from "../errors.ts";
import { toUser } from "./audiences.ts";
import { type AuthorizeDeps, type Authorized, authorize } from "./authorize.ts";
import { restsOn, type ToolCall } from "./call.ts";
import type { UnderWay } from "./deadline.ts";
import { escapingFrom } from "./escaping.ts";
import { noProgress } from "./outcome.ts";
import { mustAsk } from "./policy.ts";
import { questionFor } from "./question.ts";
import type { Given } from "./targets.ts";
import type { Tool } from "./tool.ts";
import { channelsOf } from "./usable.ts";

export interface ConsentDeps extends AuthorizeDeps {
  readonly flow: FlowPort;
}

export interface Consent {
  /** What a person has to be asked before the tool runs; null when nothing, or with the yes that the call brings. */
  ask(
    tool: Exclude<Tool, { readonly kind: "read" }>,
    given: Given,
    allowed: Authorized,
    call: ToolCall,
    underWay: UnderWay,
  ): Promise<Question | null>;
  /** Whether somebody could do it themselves, in the actor's place. Throws AppError as a call of theirs would be refused. */
  assertMayStandIn(
    tool: Tool,
    given: Given,
    actor: Actor,
    approver: Actor,
    underWay: UnderWay,
  ): Promise<void>;
}

/** When a call that changes something needs a person's yes, and whose yes counts. */
export function createConsent(deps: ConsentDeps): Consent {
  const { policies, flow } = deps;

  const assertMayStandIn: Consent["assertMayStandIn"] = async (tool, given, actor, approver, underWay) => {
    await authorize(tool, spelledOut(tool, given, actor), approver, deps, {
      underWay,
      progress: noProgress(),
    });
  };

  /** Throws what keeps it from being established. */
  async function mayStandIn(
    tool: Tool,
    given: Given,
    actor: Actor,
    userId: string,
    underWay: UnderWay,
  ): Promise<boolean> {
    try {
      await assertMayStandIn(tool, given, actor, { ...actor, kind: "user", userId }, underWay);
      return true;
    } catch (error) {
      if (error instanceof AppError && hasNoRight.includes(error.code)) return false;
      throw error;
    }
  }

  return {
    assertMayStandIn,
    async ask(tool, given, { places }, call, underWay) {
      const { actor, approval = null } = call;
      const { signal } = underWay;
      const about = { tool, given, places, actor, sources: restsOn(call) };
      const escaping = await escapingFrom(about, flow, signal);
      const asks = mustAsk(tool, policies.of(actor.guildId), actor, channelsOf(places));
      if (!asks && escaping.length === 0) return null;
      const question = await questionFor({ ...about, escaping }, flow, signal);
      if (approval?.fingerprint !== question.fingerprint) return question;
      const { approvedBy } = approval;
      if (approvedBy === actor.userId) return null;
      // What they let out has to be theirs to tell as well.
      const untold = await flow.restricted(toUser(approvedBy, actor.guildId), escaping, signal);
      if (untold.length > 0) return question;
      return (await mayStandIn(tool, given, actor, approvedBy, underWay)) ? null : question;
    },
  };
}

const hasNoRight: readonly ErrorCode[] = ["permission_denied", "not_found"];

/** Who is meant by "oneself" is the actor, whoever looks at it in their place. */
function spelledOut(tool: Tool, given: Given, { userId }: Actor): Given {
  const oneself = Object.values(tool.targets).flatMap((spec) =>
    "absent" in spec && spec.absent === "self" && spec.argument !== null && given[spec.argument] === undefined
      ? [[spec.argument, userId]]
      : [],
  );
  return oneself.length === 0 ? given : { ...given, ...Object.fromEntries(oneself) };
}
