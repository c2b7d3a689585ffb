import { Type } from "typebox";
import { type Actor, nowhere } from "../actor.ts";
import { type AuthorizeDeps, authorize } from "./authorize.ts";
import { defineTool } from "./tool.ts";

/** Being in a place, as if it were a tool: it is decided by the same rules. */
const being = {
  family: "channels",
  kind: "read",
  repeatable: true,
  input: Type.Object({}, { additionalProperties: false }),
  output: Type.Null(),
  run: async () => ({ value: null, sources: [] }),
} as const;

const presence = defineTool({
  ...being,
  name: "presence",
  title: "Be there",
  description: "Nothing but being in the channel that one speaks in.",
  targets: { channel: { kind: "channel", argument: null, absent: "own", needs: 0n } },
});

const membership = defineTool({
  ...being,
  name: "membership",
  title: "Be a member",
  description: "Nothing but being in the server that one speaks of, for who speaks from no channel.",
  targets: { guild: { kind: "guild", argument: null, absent: "none", needs: 0n } },
});

/**
 * Makes sure that somebody can be where a program says that they are: a member who sees the channel, if one is named.
 * Throws AppError `not_found`, or what kept the facts away: who cannot be shown to be there is not let in.
 */
export async function assertReachable(actor: Actor, signal: AbortSignal, deps: AuthorizeDeps): Promise<void> {
  const progress = { targets: [], sources: [], hasStarted: false };
  const place = actor.channelId === nowhere ? membership : presence;
  await authorize(place, {}, actor, deps, { underWay: { signal }, progress });
}
