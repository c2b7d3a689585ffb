import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Actor } from "../../src/actor.ts";
import type { Exchange } from "../../src/simulator/discord/rest/serve.ts";
import { snowflakeTime } from "../../src/simulator/discord/snowflake.ts";
import type { AuditRow } from "../../src/tools/ports.ts";
import type { World } from "../http/world.ts";
import { channels, guildId, userOf } from "../tools/matrix/scene.ts";
import { type MatrixWorld, own, startMatrixWorld } from "../tools/matrix/world.ts";
import { Memories } from "../tools/world.ts";
import { createDoors, type DoorCall, type DoorName, type Doors, doorNames, type Told } from "./doors.ts";
import { type CaseKind, type DoorCase, doorCases, isChange } from "./doors-cases.ts";
import { startDoors } from "./doors-world.ts";

setDefaultTimeout(60_000);

const startedAt = Date.now();
const rows: AuditRow[] = [];
const audit = {
  append: async (row: AuditRow) => void rows.push(row),
  collect: (row: AuditRow) => void rows.push(row),
};
const begin = (): Promise<MatrixWorld> =>
  startMatrixWorld({ isTrusted: true, hearsMembers: true, audit, memories: new Memories() });

let matrix: MatrixWorld;
let world: World;
let doors: Doors;
beforeAll(async () => {
  matrix = await begin();
  world = await startDoors(() => matrix);
  doors = createDoors(world);
});
afterAll(async () => {
  await doors[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await matrix[Symbol.asyncDispose]();
});

/** A world in which nothing has been changed yet. */
async function anew(): Promise<void> {
  const before = matrix;
  matrix = await begin();
  await before[Symbol.asyncDispose]();
}

interface Seen {
  readonly told: Told;
  readonly rows: readonly AuditRow[];
  readonly requests: readonly string[];
}

async function direct(
  { tool, input, actor }: Pick<DoorCall, "tool" | "input" | "actor">,
  sources: readonly string[] = [],
) {
  const { signal } = new AbortController();
  await matrix.assertReachable(actor, signal);
  const request = { toolName: tool, input, actor, sources, activeTools: [], sessionId: null, signal };
  return await matrix.registry.call(request);
}

/** Ids that Discord has made meanwhile, times and nonces differ each time. */
function plain(value: unknown): string {
  return JSON.stringify(value ?? null)
    .replaceAll(/\d{17,20}/g, (id) => (snowflakeTime(id) >= startedAt - 60_000 ? "NEW" : id))
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)/g, "TIME")
    .replaceAll(/"nonce":"[\w-]{22}"/g, '"nonce":"N"')
    .replaceAll(/m_[\w-]{22}/g, "m_NEW");
}

function inWords({ method, path, query, body, headers }: Exchange): string {
  return plain([method, path, query, body, headers["x-audit-log-reason"]]);
}

/** What is the same whichever door it was; the other fields say which. */
function rowInWords({ at: _, durationMs: _ms, sessionId: _s, turnId: _t, tokenId: _k, ...row }: AuditRow) {
  return plain({ ...row, approvalId: row.approvalId !== null });
}

type Compared = Readonly<Record<DoorName, Seen>>;

/** The call by each door, each time after `prepare`. */
async function compare(
  one: DoorCase,
  answer: DoorCall["answer"],
  prepare: () => Promise<void>,
): Promise<Compared> {
  const call = { ...one, answer };
  const through = async (door: DoorName): Promise<Seen> => {
    await prepare();
    // What is looked up once and kept, such as a member, is known then: which door comes first makes no difference.
    // With those sources it asks, and so does nothing.
    await direct(call, own);
    const from = rows.length;
    const span = { from: 0, to: 0 };
    const marks = {
      begin() {
        span.from = matrix.requests.length;
      },
      end() {
        span.to = matrix.requests.length;
      },
    };
    const told = await doors.doors[door](call, marks);
    const requests = matrix.requests.slice(span.from, span.to).map(inWords).toSorted();
    return { told, rows: rows.slice(from), requests };
  };
  return {
    "the model": await through("the model"),
    "the JSON protocol": await through("the JSON protocol"),
    "the Model Context Protocol": await through("the Model Context Protocol"),
  };
}

/** In one form, so that what differs shows. `sentences`: whether the words of a refusal are compared, too. */
function show({ told, rows, requests }: Seen, sentences: boolean) {
  const { kind, question, value, sentence } = told;
  const words = sentences ? { sentence } : {};
  return JSON.stringify({
    kind,
    question,
    value: plain(value),
    ...words,
    rows: rows.map(rowInWords),
    requests,
  });
}

function differences(name: string, seen: Compared, sentences = true): readonly string[] {
  const [first, ...others] = doorNames;
  const expected = show(seen[first], sentences);
  const differing = others
    .filter((door) => show(seen[door], sentences) !== expected)
    .map((door) => `${name}: by ${first}: ${expected}, by ${door}: ${show(seen[door], sentences)}`);
  const [, json, mcp] = doorNames;
  const fields = ({ told: { code, data } }: Seen) => plain([code, data]);
  const [byJson, byMcp] = [fields(seen[json]), fields(seen[mcp])];
  return byJson === byMcp ? differing : [...differing, `${name}: ${byJson} is not ${byMcp}`];
}

/** What the registry says without a door is what each tells, and the row says the same. */
async function unlikeDirect(one: DoorCase, seen: Compared): Promise<readonly string[]> {
  const { kind, code = null, text, value = null } = await direct(one);
  const expected = plain([kind, code, kind === "done" ? null : text, value]);
  return doorNames.flatMap((door) => {
    const { told, rows } = seen[door];
    const [row] = rows;
    const is = plain([row?.verdict, row?.reason, told.sentence, told.value]);
    return is === expected ? [] : [`${one.name}: by ${door}: ${is}, directly: ${expected}`];
  });
}

/** Of a row, whether it names a turn, a session and a token. */
const named = ({ turnId, sessionId, tokenId }: AuditRow) =>
  [turnId, sessionId, tokenId].map((id) => id !== null);
const signatures: Readonly<Record<DoorName, readonly boolean[]>> = {
  "the model": [true, true, false],
  "the JSON protocol": [false, true, true],
  "the Model Context Protocol": [false, false, true],
};

/** Of each tool that changes something the first call that is allowed: each needs a world of its own. */
const changes = () =>
  cases.filter((one, at) => one.kind === "allowed" && isChange(one) && cases[at - 1]?.tool !== one.tool);
const names = (cases: readonly DoorCase[]): ReadonlySet<string> => new Set(cases.map(({ tool }) => tool));
const nothing = async () => {};
let cases: readonly DoorCase[];
beforeAll(() => {
  cases = doorCases(
    matrix.discord,
    matrix.registry.list().map(({ name }) => name),
  );
});

test("the cases are of every tool, and of every kind", () => {
  const all = matrix.registry.list().map(({ name }) => name);
  const without = (...kinds: readonly CaseKind[]) => {
    const some = names(cases.filter(({ kind }) => kinds.includes(kind)));
    return all.filter((name) => !some.has(name));
  };
  expect(without("allowed")).toEqual([]);
  expect(without("bad_argument")).toEqual([]);
  // What is one's own, and what every member sees.
  expect(without("refused", "not_found")).toEqual([
    "discord_memory_recall",
    "discord_memory_remember",
    "discord_memory_forget",
    "discord_memory_clear",
    "discord_roles_list",
  ]);
});

test("what reads, and what is refused, is the same by every door", async () => {
  const found: string[] = [];
  for (const one of cases) {
    if (one.kind === "allowed" && isChange(one)) continue;
    const seen = await compare(one, "no", nothing);
    found.push(...differences(one.name, seen), ...(await unlikeDirect(one, seen)));
    for (const door of doorNames) expect(seen[door].rows.map(named)).toEqual([[...signatures[door]]]);
  }
  expect(found).toEqual([]);
});

test("what changes something is done alike, after the same question and a yes", async () => {
  const found: string[] = [];
  const refused = new Set<string>();
  for (const one of changes()) {
    const seen = await compare(one, "yes", anew);
    found.push(...differences(one.name, seen));
    if (seen["the model"].told.kind !== "done") refused.add(one.tool);
  }
  expect(found).toEqual([]);
  // Nothing is remembered and nobody is banned there, which is seen only when it is tried.
  expect([...refused]).toEqual(["discord_memory_forget", "discord_member_unban"]);
});

test("and is not done after the same question and a no", async () => {
  await anew();
  const found: string[] = [];
  let asked = 0;
  for (const one of changes()) {
    if ((await direct(one)).kind !== "asked") continue;
    asked++;
    const seen = await compare(one, "no", nothing);
    found.push(...differences(one.name, seen, false));
    for (const door of doorNames) {
      expect(seen[door].told).toMatchObject({
        kind: "refused",
        sentence: expect.stringMatching(/said no|was denied/),
      });
      expect(seen[door].rows.map(({ verdict }) => verdict)).toEqual(["asked"]);
    }
  }
  expect(found).toEqual([]);
  expect(asked).toBeGreaterThan(25);
});

test("who is no member of the server is let in by none", async () => {
  const outsider: Actor = { kind: "user", userId: userOf.outsider, guildId, channelId: channels.talk };
  const call = { tool: "discord_roles_list", input: {}, actor: outsider, answer: "no" } as const;
  const sentence = `There is no channel with the id ${channels.talk} that can be seen from here.`;
  const marks = { begin() {}, end() {} };
  const mcp = await doors.doors["the Model Context Protocol"](call, marks);
  expect(mcp).toMatchObject({ kind: "refused", code: "not_found", sentence });
  // The other two begin with a session.
  for (const door of ["the model", "the JSON protocol"] as const)
    await expect(doors.doors[door](call, marks)).rejects.toThrow(`${sentence} not_found`);
});
