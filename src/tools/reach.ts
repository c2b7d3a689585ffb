import { Type } from "typebox";
import type { Actor } from "../actor.ts";
import { type AuthorizeDeps, authorize } from "./authorize.ts";
import { defineTool } from "./tool.ts";

/** Being in a place, as if it were a tool: it is decided by the same rules. */
const presence = defineTool({
  name: "presence",
  title: "Be there",
  description: "Nothing but being in the channel that one speaks in.",
  family: "channels",
  kind: "read",
  repeatable: true,
  input: Type.Object({}, { additionalProperties: false }),
  targets: { channel: { kind: "channel", argument: null, absent: "own", needs: 0n } },
  run: async () => ({ value: null, sources: [] }),
});

/**
 * Makes sure that somebody can be where a program says that they are: a member who sees the channel. Throws AppError
 * `not_found`, or what kept the facts away: who cannot be shown to be there is not let in.
 */
export async function assertReachable(actor: Actor, signal: AbortSignal, deps: AuthorizeDeps): Promise<void> {
  const progress = { targets: [], sources: [], hasStarted: false };
  await authorize(presence, {}, actor, deps, { underWay: { signal }, progress });
}
