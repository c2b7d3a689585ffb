import { expect, setDefaultTimeout, test } from "bun:test";
import { allTools } from "../../../src/tools/all.ts";
import type { Axis } from "./axis.ts";
import type { ActorName } from "./scene.ts";
import { table } from "./table.ts";
import { startMatrixWorld } from "./world.ts";

setDefaultTimeout(60_000);

/** What changes something in Discord: memories are the service's own. */
const changing = new Set(
  allTools.filter(({ kind, family }) => kind !== "read" && family !== "memory").map(({ name }) => name),
);
// Read as they are needed, which is less than all there is.
const options = { isTrusted: false, hearsMembers: false };

/** To the bot these are as the public channel, the newcomer and the guests: it lacks nothing there and stands above. */
const alike = ["silent", "no_history", "member", "moderator", "crew", "moderators"];

interface Allowed {
  readonly tool: string;
  readonly axis: Axis;
  readonly target: string;
  readonly actor: ActorName;
}

/** By the bot's own power where it may: whoever else may do it, it is the bot that does it. */
async function allowed(): Promise<readonly Allowed[]> {
  await using world = await startMatrixWorld(options);
  const mayDo = (axis: Axis, target: string) =>
    (["bot", "owner"] as const).find(
      (actor) => axis.expect(target, { discord: world.discord, actor }).length === 0,
    );
  return Object.entries(table)
    .filter(([tool]) => changing.has(tool))
    .flatMap(([tool, { axes }]) =>
      axes.flatMap((axis) =>
        axis.targets.flatMap((target) => {
          const actor = alike.includes(target) ? undefined : mayDo(axis, target);
          return actor === undefined ? [] : [{ tool, axis, target, actor }];
        }),
      ),
    );
}

/** In a world of its own. Null when it was done, else what became of it. */
async function refusal({ tool, axis, target, actor }: Allowed): Promise<string | null> {
  await using world = await startMatrixWorld(options);
  const { input, channelId } = axis.call(target, actor);
  const { kind, text } = await world.carryOut(tool, input, { actor, channelId });
  const { violations } = world;
  if (violations.length > 0) return `${tool}: ${JSON.stringify(violations)}`;
  return kind === "done" ? null : `${tool} (${axis.variant}), ${axis.argument}: ${target}: ${kind}, ${text}`;
}

test("what the matrix allows, Discord does", async () => {
  const all = await allowed();
  expect(new Set(all.map(({ tool }) => tool))).toEqual(changing);
  const refused: string[] = [];
  for (const one of all) {
    const why = await refusal(one);
    if (why !== null) refused.push(why);
  }
  // Nobody there is banned, which is seen only when it is tried.
  expect(refused.filter((one) => !one.endsWith("failed, That user is not banned there."))).toEqual([]);
});
