import { describe, expect, test } from "bun:test";
import { answers, stepLimit, toolAnswers } from "../../src/agent/answers.ts";
import { text, thinking, toolUse } from "../../src/simulator/claude/reply.ts";
import { door, World } from "./harness.ts";

const quick = { run: async () => "42" };

describe("a turn", () => {
  test("answers, and tells what happens in order", async () => {
    await using world = await World.start();
    world.claude.script("Hello Ana");
    const turn = await world.ask("hello");
    expect(turn).toMatchObject({ state: "done", answer: "Hello Ana", stopReason: "end_turn", starts: 1 });
    expect(turn.usage.outputTokens).toBeGreaterThan(0);
    const types = world.eventTypes(turn.id);
    expect(types[0]).toBe("turn_started");
    expect(types.at(-1)).toBe("turn_finished");
    const said = world.events.flatMap((event) => (event.type === "text_delta" ? [event.text] : []));
    expect(said.join("")).toBe("Hello Ana");
    expect(world.prompts[0]?.messages).toMatchObject([
      { role: "user", content: [{ text: "time: 2026-11-22T10:00Z" }, { text: "hello" }] },
    ]);
    expect(await world.metrics.text()).toContain('mcp_turns_total{outcome="done",origin="program"} 1');
  });

  test("runs the tools of a step side by side and gives back their results in order", async () => {
    const both = door();
    let started = 0;
    const meet = async (result: string) => {
      started += 1;
      if (started === 2) both.open();
      await both.opened;
      return result;
    };
    await using world = await World.start({
      tools: { slow: { run: () => meet("first") }, fast: { run: () => meet("second") } },
    });
    world.claude.script(
      [text("Let me look."), toolUse("slow", { a: 1 }), toolUse("fast", {})],
      "Both known.",
    );
    const turn = await world.ask("look");
    expect(turn.answer).toBe("Let me look.\n\nBoth known.");
    const last = world.prompts[1]?.messages.at(-1);
    expect(last).toMatchObject({
      role: "user",
      content: [
        { type: "tool_result", content: "first" },
        { type: "tool_result", content: "second" },
      ],
    });
    expect(world.events.filter((event) => event.type === "tool_finished")).toHaveLength(2);
    expect(world.events.find((event) => event.type === "tool_started")).toMatchObject({
      toolName: "slow",
      arguments: { a: 1 },
      step: 1,
    });
    expect(world.toolCalls[0]).toMatchObject({ sessionId: "s1", turnId: turn.id, step: 1 });
  });

  test("goes on after failed, refused and empty results, and after a tool that throws", async () => {
    await using world = await World.start({
      tools: {
        fails: { run: async () => ({ kind: "failed", text: "no such channel", isError: true }) },
        blank: { run: async () => "" },
        throws: {
          run: async () => {
            throw new TypeError("a fault");
          },
        },
      },
    });
    world.claude.script(
      [toolUse("fails", {}), toolUse("blank", {}), toolUse("throws", {}), toolUse("unheard_of", {})],
      "Well.",
    );
    expect((await world.ask("go")).answer).toBe("Well.");
    expect(world.prompts[1]?.messages.at(-1)?.content).toMatchObject([
      { content: "no such channel", is_error: true },
      { content: toolAnswers.blank },
      { content: toolAnswers.broken, is_error: true },
      { content: "There is no such tool.", is_error: true },
    ]);
  });

  test("keeps thinking blocks where the API needs them", async () => {
    await using world = await World.start({ tools: { quick } });
    world.claude.script([thinking("I should look."), toolUse("quick", {})], [thinking("So."), text("42")]);
    expect((await world.ask("go")).answer).toBe("42");
    expect(await world.ask("again")).toMatchObject({ state: "done" });
  });
});

describe("how a model call may end", () => {
  test("cut at the length limit: the person is told, and may ask to go on", async () => {
    await using world = await World.start({ env: { ANTHROPIC_MAX_TOKENS: "64" } });
    world.claude.script("words ".repeat(200), "more");
    const turn = await world.ask("tell me everything");
    expect(turn).toMatchObject({ state: "done", stopReason: "max_tokens" });
    expect(turn.answer).toEndWith(answers.cut);
    expect((await world.ask("go on")).answer).toBe("more");
    expect(JSON.stringify(world.prompts[1])).not.toContain(answers.cut);
  });

  test("cut in a tool call: that call is not run, those before it are", async () => {
    await using world = await World.start({ env: { ANTHROPIC_MAX_TOKENS: "64" }, tools: { quick } });
    world.claude.script(
      [toolUse("quick", {}), toolUse("quick", { long: "x".repeat(2000) })],
      "Then shorter.",
    );
    expect((await world.ask("go")).answer).toBe("Then shorter.");
    expect(world.toolCalls).toHaveLength(1);
    expect(world.prompts[1]?.messages.at(-1)?.content).toMatchObject([
      { content: "42" },
      { content: toolAnswers.cut, is_error: true },
    ]);
  });

  test("cut before the first word", async () => {
    await using world = await World.start({ env: { ANTHROPIC_MAX_TOKENS: "64" } });
    world.claude.script([thinking("hm ".repeat(500)), text("never said")]);
    expect((await world.ask("think hard")).answer).toBe(answers.cutBeforeStart);
    expect(await world.ask("and now?")).toMatchObject({ state: "done" });
  });

  test("refused: a plain sentence, and what was refused is not replayed", async () => {
    await using world = await World.start();
    world.claude.script({ blocks: [text("I was about to")], stopReason: "refusal" }, "Sure.");
    expect(await world.ask("something bad")).toMatchObject({
      state: "done",
      stopReason: "refusal",
      answer: answers.refused,
    });
    expect((await world.ask("something else")).answer).toBe("Sure.");
    expect(JSON.stringify(world.prompts[1])).not.toContain("about to");
  });

  test("paused: it goes on where it was", async () => {
    await using world = await World.start();
    world.claude.script({ blocks: [text("Working on it")], stopReason: "pause_turn" }, "Done with it.");
    expect((await world.ask("go")).answer).toBe("Working on it\n\nDone with it.");
    expect(world.prompts[1]?.messages.at(-1)).toMatchObject({ role: "assistant" });
    expect(await world.ask("thanks")).toMatchObject({ state: "done" });
  });

  test("at a stop sequence: what was said is the answer", async () => {
    await using world = await World.start();
    world.claude.script({ blocks: [text("so far")], stopReason: "stop_sequence" });
    expect(await world.ask("go")).toMatchObject({ answer: "so far", stopReason: "stop_sequence" });
  });

  test("with nothing, or with blanks: the person is asked to say it in another way", async () => {
    await using world = await World.start({ tools: { quick } });
    world.claude.script([], [text("  \n")], [text("Look:"), toolUse("quick", {})], []);
    expect((await world.ask("…")).answer).toBe(answers.empty);
    expect((await world.ask("…")).answer).toBe(answers.empty);
    expect((await world.ask("…")).answer).toBe(`Look:\n\n${answers.nothingToAdd}`);
    expect(await world.ask("…")).toMatchObject({ state: "done" });
  });

  test("with call ids that are malformed or taken, and arguments that are no object", async () => {
    await using world = await World.start({ tools: { quick } });
    world.claude.script(
      [toolUse("quick", {}, "same"), toolUse("quick", {}, "same"), toolUse("quick", {}, "bad id!")],
      [toolUse("quick", [1, 2], "same")],
      "ok",
    );
    expect((await world.ask("go")).answer).toBe("ok");
    expect(world.toolCalls).toHaveLength(4);
    expect(new Set(world.toolCalls.map((call) => call.toolUseId)).size).toBe(4);
    expect(world.toolCalls[3]?.input).toEqual({ invalid_arguments: [1, 2] });
    world.claude.script([toolUse("quick", {}, "same")], "and in a later turn");
    expect((await world.ask("again")).answer).toBe("and in a later turn");
  });
});

describe("bounds", () => {
  test("the last step may call no tools; a model that does so anyway is closed with a sentence", async () => {
    await using world = await World.start({ env: { TURN_MAX_STEPS: "3" }, tools: { quick } });
    const call = [text("Looking."), toolUse("quick", {})];
    world.claude.script(call, call, "That is what I have.");
    expect((await world.ask("go")).answer).toBe("Looking.\n\nLooking.\n\nThat is what I have.");
    expect(world.prompts.map((prompt) => prompt.tool_choice)).toEqual([
      undefined,
      undefined,
      { type: "none" },
    ]);

    world.claude.script(call, call, call, "fine");
    const turn = await world.ask("again");
    expect(turn).toMatchObject({ state: "done", stopReason: "max_steps" });
    expect(turn.answer).toEndWith(stepLimit(3));
    expect(world.toolCalls).toHaveLength(4);
    expect(await world.ask("and now")).toMatchObject({ answer: "fine" });
  });

  test("a turn that has cost too many tokens is closed", async () => {
    await using world = await World.start({ tools: { quick } });
    world.claude.script({ blocks: [toolUse("quick", {})], usage: { input_tokens: 500_000 } }, "not asked");
    expect(await world.ask("go")).toMatchObject({ stopReason: "turn_tokens", answer: answers.turnTokens });
    expect(world.claude.scripted).toBe(1);
  });

  test("more calls at once than are allowed are answered and not run", async () => {
    await using world = await World.start({ tools: { quick } });
    world.claude.script(new Array(20).fill(toolUse("quick", {})), "ok");
    expect((await world.ask("go")).answer).toBe("ok");
    expect(world.toolCalls).toHaveLength(16);
    expect(world.prompts[1]?.messages.at(-1)?.content).toHaveLength(20);
  });
});
