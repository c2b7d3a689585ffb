import { expect, setDefaultTimeout, test } from "bun:test";
import { allTools } from "../../../src/tools/all.ts";
import { axisKinds } from "./axis.ts";
import { actors } from "./scene.ts";
import { table } from "./table.ts";
import { disagreement, walk } from "./walk.ts";
import { startMatrixWorld } from "./world.ts";

setDefaultTimeout(60_000);

test("the table has an entry for every tool, and for nothing else", () => {
  expect(Object.keys(table).sort()).toEqual(allTools.map(({ name }) => name).sort());
});

/** By which axis a kind of target is walked. */
const axisOf = {
  channel: "channel",
  message: "message",
  messages: "message",
  member: "member",
  user: "member",
  role: "role",
  guild: "guild",
} as const;

test("every argument by which a tool finds something is walked through all that it could name", () => {
  const unwalked = allTools.flatMap(({ name, targets }) => {
    const axes = table[name]?.axes ?? [];
    return Object.values(targets)
      .filter((spec) => spec.argument !== null)
      .filter(
        (spec) => !axes.some(({ on, argument }) => on === axisOf[spec.kind] && argument === spec.argument),
      )
      .map(({ kind, argument }) => `${name}: ${kind} by ${argument}`);
  });
  expect(unwalked).toEqual([]);
});

test("every tool is allowed or refused as Discord does, to everybody, for every kind of target", async () => {
  await using world = await startMatrixWorld({ isTrusted: true, hearsMembers: true });
  const cells = await walk(world);
  expect(cells.flatMap((cell) => disagreement(cell) ?? [])).toEqual([]);
  expect(world.requests.filter(({ method }) => method !== "GET")).toEqual([]);
  expect(world.violations).toEqual([]);

  const axes = Object.values(table).flatMap((entry) => entry.axes);
  expect(cells).toHaveLength(axes.reduce((sum, { targets }) => sum + targets.length * actors.length, 0));
  for (const kind of axisKinds) expect(cells.some(({ on }) => on === kind)).toBe(true);
});
