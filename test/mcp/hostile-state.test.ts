import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { startWorld, type World } from "../http/world.ts";
import { ids, reading } from "../tools/harness.ts";
import { answerOf, type Message, modern, post } from "./raw.ts";

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  world.tools.facts.everyone = reading | PermissionFlagsBits.ManageChannels;
  token = await tokenOf(ids.ana);
});

const tokenOf = async (userId: string) =>
  (await world.token({ userId, scopes: ["sessions", "turns", "tools", "approve"] })).secret;

const here = `guild_id=${ids.guild}&channel_id=${ids.general}`;
const canElicit = { elicitation: { form: {} } };
const yes = { approval: { action: "accept", content: {} } };

interface Round {
  readonly name?: string;
  readonly given?: object;
  readonly state?: unknown;
  readonly answers?: object;
  readonly as?: string;
  readonly query?: string;
  readonly capabilities?: object;
}

/** One round of a call that has to be approved, from a client that keeps its state as it likes. */
async function round(options: Round = {}): Promise<Message> {
  const { name = "close", given = {}, state, answers, as = token, query = here } = options;
  const carried = {
    ...(state === undefined ? {} : { requestState: state }),
    ...(answers === undefined ? {} : { inputResponses: answers }),
  };
  const params = { name, arguments: given, ...carried };
  const message = modern(1, "tools/call", params, options.capabilities ?? canElicit);
  const { result, error } = await answerOf(await post(world.url, message, { token: as, query }));
  return error ?? result;
}

async function asked(options: Round = {}): Promise<string> {
  const result = await round(options);
  expect(result.resultType).toBe("input_required");
  expect(result.inputRequests.approval.params.message).toBe("Close #general?");
  return result.requestState;
}

describe("state that a client carries", () => {
  const invalid = { code: -32602, message: "Invalid or expired requestState" };

  test("runs the call that it is about, once", async () => {
    const state = await asked();
    const before = world.tools.closed;
    expect((await round({ state, answers: yes })).structuredContent.result).toEqual({ closed: ids.general });
    expect(world.tools.closed).toBe(before + 1);
    const again = await round({ state, answers: yes });
    expect([again.isError, again._meta["discord-mcp/error"].code]).toEqual([true, "approval_not_found"]);
    expect(world.tools.closed).toBe(before + 1);
  });

  test("runs it once, however many come with it at the same time", async () => {
    const state = await asked();
    const before = world.tools.closed;
    const all = await Promise.all(Array.from({ length: 20 }, () => round({ state, answers: yes })));
    expect(all.filter(({ isError }) => isError !== true).length).toBe(1);
    expect(world.tools.closed).toBe(before + 1);
  });

  test("does not turn a no into a yes", async () => {
    const state = await asked();
    const before = world.tools.closed;
    const no = await round({ state, answers: { approval: { action: "decline" } } });
    expect(no._meta["discord-mcp/error"].code).toBe("permission_denied");
    const late = await round({ state, answers: yes });
    expect(late._meta["discord-mcp/error"].code).toBe("permission_denied");
    expect(world.tools.closed).toBe(before);
  });

  test.each<[string, (state: string) => unknown]>([
    ["made up", () => "AAAA"],
    ["altered", (state) => `${state.slice(0, -2)}${state.endsWith("AA") ? "BB" : "AA"}`],
    ["a number", () => 5],
    ["an object", (state) => ({ state })],
    ["empty", () => ""],
  ])("is refused when it is %s", async (_what, forged) => {
    const before = world.tools.closed;
    const result = await round({ state: forged(await asked()), answers: yes });
    expect(result).toMatchObject(invalid);
    expect(world.tools.closed).toBe(before);
  });

  test("is refused to another token of the same person, to another person, and in another place", async () => {
    const state = await asked();
    const before = world.tools.closed;
    const answers = yes;
    expect(await round({ state, answers, as: await tokenOf(ids.ana) })).toMatchObject(invalid);
    expect(await round({ state, answers, as: await tokenOf(ids.ben) })).toMatchObject(invalid);
    expect(await round({ state, answers, query: `guild_id=${ids.guild}` })).toMatchObject(invalid);
    expect(world.tools.closed).toBe(before);
    expect((await round({ state, answers })).isError).toBeFalsy();
  });

  test("is refused when it has expired", async () => {
    await using own = await startWorld();
    const { secret } = await own.token({ userId: ids.ana });
    const send = async (params: object) =>
      answerOf(
        await post(own.url, modern(1, "tools/call", { name: "close", arguments: {}, ...params }, canElicit), {
          token: secret,
          query: here,
        }),
      );
    const { result } = await send({});
    own.clock.offset += 900_000;
    const { error } = await send({ requestState: result.requestState, inputResponses: yes });
    expect(error).toMatchObject(invalid);
    expect(own.tools.closed).toBe(0);
  });

  test("is good for no other arguments, and no other tool", async () => {
    const state = await asked();
    const before = [world.tools.closed, world.tools.calls];
    const other = await round({ given: { channel_id: ids.general }, state, answers: yes });
    expect(other._meta["discord-mcp/error"].code).toBe("approval_not_found");
    await round({ name: "ask", given: { message: "close it" }, state, answers: yes });
    expect(world.tools.closed).toBe(before[0] ?? -1);
    expect((await round({ state, answers: yes })).isError).toBeFalsy();
  });

  test("helps nobody who has lost the permission meanwhile", async () => {
    const state = await asked();
    const before = world.tools.closed;
    world.tools.facts.everyone = reading;
    const result = await round({ state, answers: yes });
    expect(result._meta["discord-mcp/error"].code).toBe("permission_denied");
    expect(world.tools.closed).toBe(before);
  });

  test("without an answer asks again, and runs nothing", async () => {
    const state = await asked();
    const before = world.tools.closed;
    expect((await round({ state })).resultType).toBe("input_required");
    expect((await round({ state, answers: { other: { action: "accept" } } })).resultType).toBe(
      "input_required",
    );
    expect(world.tools.closed).toBe(before);
  });

  test("answers of the wrong shape are no yes", async () => {
    const before = world.tools.closed;
    for (const approval of ["accept", { action: "ACCEPT" }, { action: true }, [], null, 1])
      await round({ state: await asked(), answers: { approval } });
    // An answer to what was never asked.
    await round({ answers: yes });
    expect(world.tools.closed).toBe(before);
  });
});
