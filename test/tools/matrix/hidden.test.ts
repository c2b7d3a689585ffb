import { expect, setDefaultTimeout, test } from "bun:test";
import type { Exchange } from "../../../src/simulator/discord/rest/serve.ts";
import type { Axis } from "./axis.ts";
import { type ActorName, actors, channels } from "./scene.ts";
import { table } from "./table.ts";
import { type MatrixOptions, type MatrixWorld, startMatrixWorld } from "./world.ts";

setDefaultTimeout(60_000);

/*
 * To somebody who cannot see it, a private channel, a private thread, one that the bot cannot see, another server's
 * channel, one that was deleted a moment ago and one that never was are the same: by what they are told, and by what Discord is asked meanwhile, which
 * is what the time goes into.
 */

/** Ids apart, which differ. */
const plain = (text: string): string => text.replaceAll(/\d{15,20}/g, "ID");

const told = (exchanges: readonly Exchange[]): readonly string[] =>
  exchanges.map(({ method, path, query }) => plain(`${method} ${path} ${JSON.stringify(query)}`)).sort();

interface Seen {
  readonly target: string;
  readonly answer: string;
  readonly requests: readonly string[];
}

async function ask(
  world: MatrixWorld,
  tool: string,
  axis: Axis,
  target: string,
  actor: ActorName,
): Promise<Seen> {
  const { input, channelId } = axis.call(target, actor);
  const before = world.requests.length;
  const { kind, code, text, data } = await world.call(tool, input, { actor, channelId });
  const answer = plain(JSON.stringify({ kind, code, text, data }));
  return { target, answer, requests: told(world.requests.slice(before)) };
}

/** Of each tool, what differs between targets that are hidden from the actor; and how many were compared. */
async function differences(options: MatrixOptions) {
  await using world = await startMatrixWorld(options);
  const found: string[] = [];
  let compared = 0;
  // The bot's own member is read once and kept, which says nothing of any channel.
  await world.call("discord_channel_info", {}, { actor: "bot", channelId: channels.talk });
  for (const [tool, { axes }] of Object.entries(table))
    for (const axis of axes.filter(({ on }) => on === "channel"))
      for (const actor of actors) {
        const hidden = axis.targets.filter((target) =>
          axis.expect(target, { discord: world.discord, actor }).some(({ kind }) => kind === "not_found"),
        );
        const seen: Seen[] = [];
        for (const target of hidden) seen.push(await ask(world, tool, axis, target, actor));
        const missing = seen.find(({ target }) => target === "missing");
        compared += seen.length;
        for (const one of seen)
          if (one.answer !== missing?.answer || one.requests.join() !== missing.requests.join())
            found.push(
              `${tool} ${axis.variant} as ${actor}: ${JSON.stringify(one)} is not as ${JSON.stringify(missing)}`,
            );
      }
  return { found, compared };
}

for (const isTrusted of [true, false])
  test(`what is hidden answers and costs the same as what is not there, ${isTrusted ? "with" : "without"} the gateway's state`, async () => {
    const { found, compared } = await differences({ isTrusted, hearsMembers: false });
    expect(found).toEqual([]);
    expect(compared).toBeGreaterThan(1000);
  });
