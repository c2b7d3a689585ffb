import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { ToolOutcome } from "../../src/tools/call.ts";
import type { World } from "../http/world.ts";
import { type ActorName, botId, guildId, userOf } from "../tools/matrix/scene.ts";
import { type Cell, disagreement, walk } from "../tools/matrix/walk.ts";
import { type Caller, type MatrixWorld, own, startMatrixWorld } from "../tools/matrix/world.ts";
import { connect, type Result, type TestClient } from "./clients.ts";
import { startDoors } from "./doors-world.ts";

setDefaultTimeout(60_000);

/*
 * The matrix of tools, actors and targets again, each call by a client of the Model Context Protocol over a WebSocket,
 * with a token of the actor's own. This client cannot ask its person, so nothing is changed.
 */

let matrix: MatrixWorld;
let world: World;
beforeAll(async () => {
  matrix = await startMatrixWorld({ isTrusted: true, hearsMembers: true });
  world = await startDoors(() => matrix, own);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await matrix[Symbol.asyncDispose]();
});

/** Who is no member speaks from nowhere in that server: this door turns them away before any tool is looked at. */
const strangers: readonly ActorName[] = ["outsider"];

/** A client for each actor and each place that they speak from. */
function clients() {
  const opened = new Map<string, Promise<TestClient>>();
  const open = async ({ actor, channelId }: Caller): Promise<TestClient> => {
    const isBot = actor === "bot";
    const scopes = ["tools", "approve", ...(isBot ? (["act:bot"] as const) : [])] as const;
    const { secret } = await world.token({ userId: isBot ? null : userOf[actor], scopes });
    const query = `guild_id=${guildId}&channel_id=${channelId}${isBot ? `&user_id=${botId}` : ""}`;
    return connect(world, "WebSocket", "2026-07-28", { token: secret, query });
  };
  return (caller: Caller): Promise<TestClient> => {
    const key = `${caller.actor} ${caller.channelId}`;
    const known = opened.get(key) ?? open(caller);
    opened.set(key, known);
    return known;
  };
}

/** What a client is told, as the registry would say it. */
function outcomeOf({ isError, text, structured, meta }: Result): ToolOutcome {
  if (!isError) return { kind: "done", text, isError: false, value: structured.result, sources: [] };
  const { code, retry_after_ms: _wait, ...data } = meta;
  const isAsked = code === "approval_required";
  return { kind: isAsked ? "asked" : "refused", text, isError: true, code, data, sources: [] };
}

/** Delimiters are made anew each time. */
const plain = (text: string): string => text.replaceAll(/untrusted-[0-9a-f-]+/g, "untrusted");

/** What is to be the same: the verdict, its words, its fields and its value. */
function told({ outcome: { kind, code, text, data = {}, value = null } }: Cell) {
  const words = kind === "asked" ? "" : plain(text);
  return JSON.stringify({ kind, code, text: words, data, value });
}

const nothingThere = expect.stringMatching(
  /^There is no channel with the id \d+ that can be seen from here\.$/,
);

function difference(cell: Cell, same: Cell | undefined): string | null {
  if (same !== undefined && told(cell) === told(same)) return null;
  const { tool, variant, target, actor } = cell;
  return `${tool} ${variant} ${target} as ${actor}: ${told(cell)} is not ${same === undefined ? "" : told(same)}`;
}

test("every verdict and every word is the same through this door, for everybody and every kind of target", async () => {
  const tools = matrix.registry.list().map(({ name }) => name);
  const direct = await walk(matrix, tools);
  const clientOf = clients();
  const through = await walk(
    {
      discord: matrix.discord,
      call: async (tool, input, caller) => outcomeOf(await (await clientOf(caller)).call(tool, input)),
    },
    tools,
  );
  expect(through).toHaveLength(direct.length);
  const pairs = through.map((cell, at) => ({ cell, same: direct[at] }));
  const [ofStrangers, ofMembers] = [true, false].map((isStranger) =>
    pairs.filter(({ cell }) => strangers.includes(cell.actor) === isStranger),
  );
  expect(ofMembers?.flatMap(({ cell, same }) => difference(cell, same) ?? [])).toEqual([]);
  expect(ofMembers?.flatMap(({ cell }) => disagreement(cell) ?? [])).toEqual([]);
  for (const { cell } of ofStrangers ?? [])
    expect(cell.outcome).toMatchObject({ kind: "refused", code: "not_found", text: nothingThere });
  expect(matrix.requests.filter(({ method }) => method !== "GET")).toEqual([]);
  for (const kind of ["done", "asked", "refused"])
    expect(through.filter(({ outcome }) => outcome.kind === kind).length).toBeGreaterThan(500);
});
