import { assertStanding } from "./authority.ts";
import type { Finding } from "./find.ts";
import { assertMaySpeak } from "./speaking.ts";
import type { Given, Place, Requirement, Standing, TargetSpec } from "./targets.ts";

/**
 * Makes sure that the actor and the bot may do what a target needs of them, where it was found. Throws AppError
 * `permission_denied`, naming what is missing.
 */
export async function assertNeeds(
  spec: TargetSpec,
  place: Place,
  given: Given,
  finding: Finding,
): Promise<void> {
  switch (spec.kind) {
    case "channel":
      if (place.kind !== "channel") return;
      await assertBoth(spec, place, place, given, finding);
      if (spec.speaks) await assertMaySpeak(place, finding);
      return;
    case "message":
      return place.kind === "message" ? assertBoth(spec, place, place.channel, given, finding) : undefined;
    case "messages":
      return place.kind === "messages" ? assertBoth(spec, place, place.channel, given, finding) : undefined;
    case "guild":
      return place.kind === "guild" ? assertBoth(spec, place, place, given, finding) : undefined;
    case "member":
      return place.kind === "member" ? assertInGuild(spec, place, given, finding) : undefined;
    case "user":
      return place.kind === "user" ? assertInGuild(spec, place, given, finding) : undefined;
    case "role":
      return place.kind === "role" ? assertInGuild(spec, place, given, finding) : undefined;
    default:
      return spec satisfies never;
  }
}

interface Needing<Found> {
  readonly needs: Requirement<Found>;
  readonly actorNeeds?: Requirement<Found>;
  readonly botNeeds?: Requirement<Found>;
}

async function assertInGuild<Found>(
  spec: Needing<Found>,
  found: Found,
  given: Given,
  finding: Finding,
): Promise<void> {
  if (spec.needs === 0n && spec.actorNeeds === undefined && spec.botNeeds === undefined) return;
  await assertBoth(spec, found, await finding.authority.inGuild(), given, finding);
}

async function assertBoth<Found>(
  spec: Needing<Found>,
  found: Found,
  { actor, bot }: { readonly actor: Standing; readonly bot: Standing },
  given: Given,
  finding: Finding,
): Promise<void> {
  const { actor: who, standings } = finding;
  const botUserId = await standings.botUserId();
  const bitsOf = (requirement: Requirement<Found> | undefined, userId: string): bigint =>
    requirement === undefined
      ? 0n
      : typeof requirement === "bigint"
        ? requirement
        : requirement.bits(found, userId, given);
  if (who.kind === "user")
    assertStanding(bitsOf(spec.needs, who.userId) | bitsOf(spec.actorNeeds, who.userId), actor);
  assertStanding(bitsOf(spec.needs, botUserId) | bitsOf(spec.botNeeds, botUserId), bot);
}
