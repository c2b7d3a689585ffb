import type { DiscordParts, World } from "../http/world.ts";
import { startWorld } from "../http/world.ts";
import { botId } from "../tools/matrix/scene.ts";
import type { MatrixWorld } from "../tools/matrix/world.ts";

/**
 * Every door, before the registry of the matrix. With `sources` each call comes as if those had been read before it.
 */
export async function startDoors(matrix: MatrixWorld, sources?: readonly string[]): Promise<World> {
  const { registry, flow, assertReachable } = matrix;
  const call: DiscordParts["registry"]["call"] = (request) =>
    registry.call({ ...request, ...(sources === undefined ? {} : { sources }) });
  return startWorld({
    discord: { registry: { ...registry, call }, flow, assertReachable, botUserId: botId },
  });
}
