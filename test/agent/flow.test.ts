import { describe, expect, test } from "bun:test";
import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import { answers, questions, stepLimit, withheld } from "../../src/agent/answers.ts";
import type { NewTurn, TurnRecord } from "../../src/agent/journal.ts";
import { withhold } from "../../src/agent/withhold.ts";
import { text, toolUse } from "../../src/simulator/claude/reply.ts";
import { dyingAt } from "./dying.ts";
import { ana, door, question, World, type WorldOptions } from "./harness.ts";

const staff = "channel:staff";
const secret = "the staff's secret";
const signal = new AbortController().signal;
const program: Partial<NewTurn> = { origin: "program", discordMessageId: null, replyTo: null };
let messages = 0;
const inDiscord = (over: Partial<NewTurn> = {}): Partial<NewTurn> => {
  const id = String(++messages);
  return {
    origin: "discord",
    discordMessageId: id,
    replyTo: { channelId: ana.channelId, messageId: id },
    ...over,
  };
};

/** Ana reads #staff; most of those in her channel do not. */
const start = (over: WorldOptions = {}): Promise<World> =>
  World.start({
    tools: {
      read: { run: async () => ({ text: secret, sources: [staff] }) },
      look: { run: async () => ({ text: "what all can see", sources: ["channel:500"] }) },
      post: { run: async () => ({ text: "posted" }) },
    },
    restricted: ({ kind }, sources) => (kind === "user" ? [] : sources.filter((source) => source === staff)),
    ...over,
  });

/** Where the answer of a turn goes, as the outbox says it. */
async function delivered(world: World, { id }: TurnRecord) {
  const due = await world.memory.outbox.undelivered(50);
  const { answer, answerTo } = due.find(({ turnId }) => turnId === id) ?? {};
  return { answer, answerTo };
}

const json = (prompt: MessageCreateParams | undefined) => JSON.stringify(prompt?.messages);

describe("an answer that rests on what not everybody in its channel may read", () => {
  test("goes to its asker alone where the policy says so", async () => {
    await using world = await start({ policy: "direct" });
    world.claude.script([text("Looking."), toolUse("read", {})], `It is ${secret}.`);
    const turn = await world.ask("what does staff say?", inDiscord());
    expect(turn.state).toBe("done");
    expect(await delivered(world, turn)).toEqual({
      answer: `Looking.\n\nIt is ${secret}.`,
      answerTo: "asker",
    });
    expect(world.flowed).toEqual([
      { audience: { kind: "channel", guildId: "900", channelId: "500" }, sources: [staff] },
    ]);
  });

  test.each([
    ["yes", "channel"],
    ["no", "asker"],
    ["nothing", "asker"],
  ] as const)("is asked about where the policy says so; %s: it goes to the %s", async (said, answerTo) => {
    let now = 1_800_000_000_000;
    await using world = await start({ policy: "ask", now: () => now });
    world.claude.script([toolUse("read", {})], `It is ${secret}.`);
    const turn = await world.submit("what does staff say?", inDiscord());
    const asked = await question(world);
    expect(asked).toMatchObject({
      kind: "answer",
      toolName: null,
      askIn: "channel",
      question: { text: questions.postHere, publicText: null },
    });
    expect(await world.memory.outbox.undelivered(5)).toEqual([]);
    await expect(world.service.decide(asked.id, true, "777", signal)).rejects.toMatchObject({
      code: "permission_denied",
    });
    await expect(world.service.decide(asked.id, false, "777", signal)).rejects.toThrow("Only the person");
    await world.restart();
    now += 15 * 60_000 - 1;
    if (said === "nothing") now += 1;
    else await world.service.decide(asked.id, said === "yes", ana.userId, signal);
    expect(await world.service.expireApprovals()).toBe(said === "nothing" ? 1 : 0);
    const { turn: ended } = await world.service.wait(turn.id);
    expect(await delivered(world, ended)).toEqual({ answer: `It is ${secret}.`, answerTo });
    expect(world.prompts).toHaveLength(2);
  });

  test("is withdrawn by the person's next message, and stays out of its prompt", async () => {
    await using world = await start();
    world.claude.script([toolUse("read", {})], `It is ${secret}.`, "Hello.");
    const turn = await world.submit("what does staff say?", inDiscord());
    await question(world);
    await world.ask("hello", inDiscord());
    const { answer, answerTo } = await delivered(world, turn);
    expect(answerTo).toBe("channel");
    expect(answer).not.toContain(secret);
    expect(json(world.prompts.at(-1))).not.toContain(secret);
    expect(json(world.prompts.at(-1))).toContain(answer ?? "nothing");
  });

  test("goes to the channel where all there may read it, and of nothing nobody is asked", async () => {
    await using world = await start();
    world.claude.script("Hello.", [toolUse("look", {})], "All can see it.");
    const first = await world.ask("hello", inDiscord());
    expect(world.flowed).toEqual([]);
    const second = await world.ask("look", inDiscord());
    expect(world.flowed).toHaveLength(1);
    for (const turn of [first, second]) expect((await delivered(world, turn)).answerTo).toBe("channel");
  });

  test("is a program's person's anyway, and a direct message's too", async () => {
    await using world = await start();
    world.claude.script([toolUse("read", {})], "for you", [toolUse("read", {})], "for you, too");
    await world.ask("read", program);
    expect(world.flowed).toEqual([]);
    const actor = { ...ana, guildId: null, channelId: "501" };
    const direct = await world.ask("read", inDiscord({ actor }));
    expect(world.flowed).toEqual([
      { audience: { kind: "user", guildId: null, userId: "100" }, sources: [staff] },
    ]);
    expect(await delivered(world, direct)).toEqual({ answer: "for you, too", answerTo: "channel" });
  });

  test("is never asked about in a direct message, where it has nowhere else to go", async () => {
    await using world = await start({ restricted: (_, sources) => sources });
    world.claude.script([toolUse("read", {})], "for you");
    const direct = await world.ask("read", inDiscord({ actor: { ...ana, guildId: null, channelId: "501" } }));
    expect((await delivered(world, direct)).answerTo).toBe("asker");
  });

  test("is placed by the next process when one dies between its last words and its end", async () => {
    await using world = await start({ policy: "direct" });
    world.claude.script([toolUse("read", {})], `It is ${secret}.`);
    const dead = door();
    // begin, saveStep, toolRunning, toolEnded, saveStep
    world.replaceService((journal) => dyingAt(journal, 5, "after", dead.open));
    const turn = await world.submit("read", inDiscord());
    await dead.opened;
    expect(await world.memory.outbox.undelivered(5)).toEqual([]);
    world.replaceService();
    await world.service.resume();
    const { turn: ended } = await world.service.wait(turn.id);
    expect(await delivered(world, ended)).toEqual({ answer: `It is ${secret}.`, answerTo: "asker" });
    expect(world.prompts).toHaveLength(2);
  });
});

describe("an end in words of ours", () => {
  const words = [text(`Staff says: ${secret}.`), toolUse("read", {})];

  test("of a failed turn leaves the model's words out of the channel", async () => {
    await using world = await start();
    world.claude.script([toolUse("read", {})], [text(`So: ${secret}.`), toolUse("look", {})]);
    const turn = await world.submit("read", inDiscord());
    await world.claude.waitForRequest((request) => request === world.claude.requests[1]);
    world.claude.faults.next({ status: 401 });
    const { turn: ended } = await world.service.wait(turn.id);
    expect(ended).toMatchObject({ state: "failed", errorCode: "model_unavailable" });
    const { answer, answerTo } = await delivered(world, ended);
    expect(answerTo).toBe("channel");
    expect(answer).toStartWith("Claude does not accept our key");
    expect(json(world.prompts.at(-1))).toContain(secret);
    await world.ask("again", inDiscord());
    expect(json(world.prompts.at(-1))).not.toContain(secret);
    expect(json(world.prompts.at(-1))).toContain("does not accept our key");
  });

  test("of a turn at its limit does, too, and keeps them where all may read", async () => {
    await using world = await start({ env: { TURN_MAX_STEPS: "2" } });
    world.claude.script(words, words, [text("All can see."), toolUse("look", {})], [toolUse("look", {})]);
    const closed = await world.ask("read", inDiscord());
    expect(await delivered(world, closed)).toEqual({ answer: stepLimit(2), answerTo: "channel" });
    const open = await world.ask("look", inDiscord());
    expect((await delivered(world, open)).answer).toBe(`All can see.\n\n${stepLimit(2)}`);
  });

  test("of a stopped turn does without asking anybody, whatever it had read", async () => {
    const looked = door();
    const look = { run: () => looked.opened.then(() => ({ text: "seen", sources: ["channel:500"] })) };
    await using world = await start({ tools: { look } });
    world.claude.script([text("Looking."), toolUse("look", {})]);
    const turn = await world.submit("look", inDiscord());
    await world.event((event) => event.type === "tool_started");
    world.claude.faults.hang();
    looked.open();
    await world.claude.waitForRequest((request) => request === world.claude.requests[1]);
    await world.service.cancel(turn.conversationId);
    expect(await delivered(world, turn)).toEqual({ answer: answers.stopped, answerTo: "channel" });
    expect(world.flowed).toEqual([]);
  });
});

describe("the history", () => {
  test("withholds what was given in private from those of the channel, and not from its person", async () => {
    await using world = await start({ policy: "direct" });
    world.claude.script([toolUse("read", {})], `It is ${secret}.`, "I cannot say.", "I can say.");
    await world.ask("what does staff say?", inDiscord());
    await world.ask("say it again", inDiscord());
    const prompt = world.prompts[2];
    expect(json(prompt)).not.toContain(secret);
    expect(prompt?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(json(prompt)).toContain("what does staff say?");
    expect(prompt?.messages[1]?.content).toEqual([{ type: "text", text: withheld.turn }]);
    await world.ask("and here?", program);
    expect(json(world.prompts[3])).toContain(secret);
    expect(world.flowed.at(-1)?.audience).toEqual({ kind: "user", guildId: "900", userId: "100" });
  });

  test("keeps an answer that was posted, and nothing of what it was made of", async () => {
    await using world = await start();
    world.claude.script([toolUse("read", {}), toolUse("look", {})], "Staff is content.", "Indeed.");
    const turn = await world.submit("what does staff say?", inDiscord());
    await world.service.decide((await question(world)).id, true, ana.userId, signal);
    await world.service.wait(turn.id);
    await world.ask("really?", inDiscord());
    const prompt = world.prompts.at(-1);
    expect(json(prompt)).not.toContain(secret);
    expect(prompt?.messages[1]?.content).toEqual([{ type: "text", text: "Staff is content." }]);
  });

  test("withholds what a turn retold of it without a call of its own", async () => {
    await using world = await start();
    world.claude.script([toolUse("read", {})], `It is ${secret}.`, `I said: ${secret}.`, "Nothing.");
    await world.ask("what does staff say?", program);
    await world.ask("say it again", program);
    const turn = await world.ask("what did we talk about?", inDiscord());
    expect(json(world.prompts.at(-1))).not.toContain(secret);
    expect((await delivered(world, turn)).answerTo).toBe("channel");
  });

  test("counts for what a tool's arguments may rest on, in this turn and the ones after it", async () => {
    await using world = await start();
    world.claude.script(
      [toolUse("look", {})],
      [toolUse("read", {}), toolUse("post", {})],
      [toolUse("post", {})],
      "done",
      [toolUse("post", {})],
      "done",
    );
    await world.ask("go", program);
    await world.ask("go on", program);
    const posts = world.toolCalls.filter(({ toolName }) => toolName === "post");
    expect(posts.map(({ sources }) => [...sources].sort())).toEqual([
      ["channel:500"],
      ["channel:500", staff],
      ["channel:500", staff],
    ]);
  });

  test("is the same bytes from turn to turn while nothing changes", async () => {
    await using world = await start({ policy: "direct" });
    world.claude.script([toolUse("read", {})], `It is ${secret}.`, "one", "two", "three");
    for (const words of ["read", "a", "b", "c"]) await world.ask(words, inDiscord());
    const strip = (prompt: MessageCreateParams | undefined) =>
      (prompt?.messages ?? []).map((message) =>
        JSON.stringify(message, (key, value) => (key === "cache_control" ? undefined : value)),
      );
    const [before, after] = [strip(world.prompts[3]), strip(world.prompts[4])];
    expect(after.slice(0, before.length)).toEqual(before);
  });

  test("is summarised for those of the channel, whoever's turn it is", async () => {
    await using world = await start({ policy: "direct", env: { HISTORY_TOKENS: "1000" } });
    const filler = "words ".repeat(300);
    world.claude.script([toolUse("read", {})], `It is ${secret}. ${filler}`);
    await world.ask("what does staff say?", program);
    for (let n = 0; n < 4; n++) {
      world.claude.script(filler, filler);
      await world.ask(`${n} ${filler}`, program);
    }
    const summaries = world.prompts.filter((prompt) =>
      JSON.stringify(prompt.system).includes("summary of an earlier"),
    );
    expect(summaries.length).toBeGreaterThan(0);
    for (const prompt of summaries) expect(json(prompt)).not.toContain(secret);
    const conversation = (await world.memory.turns.conversationId("100", "500", "900")) ?? "";
    expect((await world.memory.history.load(conversation, 0)).summary?.sources).toEqual([]);
  });

  test("leaves out a summary that rests on what has been closed since", () => {
    const turn = {
      turnId: "2",
      messages: [
        { role: "user" as const, content: "hello" },
        { role: "assistant" as const, content: "hi" },
      ],
      sources: ["channel:1"],
      answerTo: "channel" as const,
      answer: "hi",
    };
    const history = { summary: { text: secret, uptoTurnId: "1", sources: [staff] }, turns: [turn] };
    const closed = withhold(history, [staff]);
    expect(closed.summary).toEqual({ text: withheld.summary, uptoTurnId: "1", sources: [] });
    expect(closed.turns[0]).toBe(turn);
    expect(withhold(history, [])).toBe(history);
  });
});
