import { type DiscordParts, startWorld, type World } from "../http/world.ts";
import { botId } from "../tools/matrix/scene.ts";
import type { MatrixWorld } from "../tools/matrix/world.ts";

/**
 * Every door, before the registry of the matrix that is there when it is asked. With `sources` each call comes as if
 * those had been read before it.
 */
export async function startDoors(
  matrix: () => Pick<MatrixWorld, "registry" | "flow" | "assertReachable">,
  sources?: readonly string[],
): Promise<World> {
  const more = sources === undefined ? {} : { sources };
  const registry: DiscordParts["registry"] = {
    list: () => matrix().registry.list(),
    usable: (actor, active) => matrix().registry.usable(actor, active),
    definitions: (actor, active) => matrix().registry.definitions(actor, active),
    isRepeatable: (name) => matrix().registry.isRepeatable(name),
    call: (request) => matrix().registry.call({ ...request, ...more }),
    assertMayApprove: (request, approver) => matrix().registry.assertMayApprove(request, approver),
  };
  const flow: DiscordParts["flow"] = {
    restricted: (audience, read, signal) => matrix().flow.restricted(audience, read, signal),
    policy: (id) => matrix().flow.policy(id),
  };
  return startWorld({
    // Hundreds of turns of the same few people.
    env: { USER_TOKENS_PER_DAY: "1000000000", GUILD_TOKENS_PER_DAY: "1000000000" },
    discord: {
      ...{ registry, flow, botUserId: botId },
      assertReachable: (actor, signal) => matrix().assertReachable(actor, signal),
    },
  });
}
