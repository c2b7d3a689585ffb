import type { Audience, FlowPort } from "../agent/ports.ts";
import { inAuditLog } from "./audiences.ts";
import type { Asked } from "./question.ts";

/** Those of its sources that not all can read who will read what the call writes. Throws the signal's reason alone. */
export async function escapingFrom(
  call: Omit<Asked, "escaping">,
  flow: FlowPort,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { sources } = call;
  if (sources.length === 0) return [];
  const each = await Promise.all(
    audiencesOf(call).map((audience) => flow.restricted(audience, sources, signal)),
  );
  return [...new Set(each.flat())];
}

/** A reason is read in Discord's audit log as well, whichever place it is about. */
function audiencesOf({ tool, given, places, actor }: Omit<Asked, "escaping">): readonly Audience[] {
  const own = tool.audience(given, places, actor);
  return given.reason === undefined || actor.guildId === null ? [own] : [own, inAuditLog(actor.guildId)];
}
