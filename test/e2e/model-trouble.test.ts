import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { text, toolUse } from "../../src/simulator/claude/reply.ts";
import { Service, type ServiceOptions } from "./service.ts";
import { channels, mention, results, words } from "./surroundings.ts";

setDefaultTimeout(20_000);

let service: Service;
async function serve(options?: ServiceOptions): Promise<Service> {
  service = await Service.start(options);
  return service;
}
afterEach(() => expect(service.contract.violations).toEqual([]));

/** What a person must never be shown: our machinery, or the other side's. */
const machinery = /Error|\bat \/|undefined|null|\{|overloaded_error|ECONN|JSON|status/;

describe("whatever the model does, the person gets an answer that they can understand", () => {
  test("a refusal, which is not held against what is asked next", async () => {
    await using at = await serve();
    at.claude.script(
      {
        blocks: [text("Well, first you")],
        stopReason: "refusal",
        refusal: { category: "cyber", explanation: null },
      },
      "Gladly.",
    );
    expect(await at.ask(`${mention} pick the harbour master's lock`)).toMatch(/^I can't help with that/);
    expect(await at.ask(`${mention} then tie a knot`)).toBe("Gladly.");
    expect(JSON.stringify(at.asked[1]?.messages)).not.toContain("first you");
  });

  test("an answer that reaches its length limit says so; a tool call that does is not run", async () => {
    await using at = await serve({ env: { ANTHROPIC_MAX_TOKENS: "64" } });
    at.claude.script("The tide comes in. ".repeat(60));
    const cut = await at.ask(`${mention} tell me everything`);
    expect(cut).toStartWith("The tide comes in.");
    expect(cut).toEndWith(
      "(My answer was cut off here: it reached its length limit. Ask me to go on if you want the rest.)",
    );
    at.claude.script([toolUse("discord_messages_search", { content: "tide ".repeat(200) })], "Shorter then.");
    expect(await at.ask(`${mention} search`)).toBe("Shorter then.");
    expect(results(at.asked[2])[0]?.content).toContain("was not run");
    const searched = at.discord.requests.filter(({ path }) => path.includes("/messages/search"));
    expect(searched).toEqual([]);
  });

  test("no words at all", async () => {
    await using at = await serve();
    at.claude.script([], [text("  \n")]);
    expect(await at.ask(`${mention} hm?`)).toContain("I found no words for that");
    expect(await at.ask(`${mention} hm?`)).toContain("I found no words for that");
  });

  test("overload, an error and a cut in mid-stream, a body that is none: asked again, said once", async () => {
    await using at = await serve();
    const faults = [
      () => at.claude.faults.next({ status: 529 }),
      () => at.claude.faults.next({ status: 429, retryAfter: 0 }),
      () => at.claude.faults.errorInStream("overloaded_error", 5),
      () => at.claude.faults.cutStreamAfter({ events: 5 }),
      () => at.claude.faults.malformedBody(),
      () => at.claude.faults.disconnect(),
    ];
    for (const [index, fault] of faults.entries()) {
      fault();
      at.claude.script(`After all, the answer with the number ${index}.`);
      expect(await at.ask(`${mention} number ${index}`)).toBe(
        `After all, the answer with the number ${index}.`,
      );
    }
    expect(at.claude.scripted).toBe(0);
    expect(at.asked).toHaveLength(2 * faults.length);
    expect(at.events.filter(({ type }) => type === "step_restarted").length).toBeGreaterThan(0);
  });

  test("trouble that does not end: a sentence of what happened, and the next question is answered", async () => {
    await using at = await serve();
    const troubles: readonly (readonly [() => void, RegExp])[] = [
      [() => at.claude.faults.next({ status: 529, times: 2 }), /Claude is overloaded/],
      [() => at.claude.faults.next({ status: 429, retryAfter: 600 }), /too many requests/],
      [() => at.claude.faults.next({ status: 500, times: 2 }), /a problem of its own/],
      [() => at.claude.faults.cutStreamAfter({ events: 4 }, 2), /broke off again and again/],
      [() => at.claude.faults.next({ status: 401 }), /does not accept our key.*ANTHROPIC_API_KEY/],
      [() => at.claude.faults.next({ status: 404 }), /ANTHROPIC_MODEL/],
      [() => at.claude.faults.next({ status: 400 }), /put it differently/],
    ];
    for (const [cause, sentence] of troubles) {
      cause();
      const answer = await at.ask(`${mention} are you well?`);
      expect(answer).toMatch(sentence);
      expect(answer).not.toMatch(machinery);
      at.claude.faults.clear();
    }
    at.claude.script("Well again.");
    expect(await at.ask(`${mention} and now?`)).toBe("Well again.");
  });

  test("in mid-turn: what the tools found stays, and what was said is not lost", async () => {
    await using at = await serve();
    at.claude.script([text("Let me look."), toolUse("discord_channel_info", {})]);
    const first = at.say(`${mention} where?`);
    await at.untilAsked(1);
    at.claude.faults.next({ status: 529, times: 2 });
    const answer = (await at.replyTo(first)).content;
    expect(answer).toMatch(/^Let me look\.\n\nClaude is overloaded/);
    at.claude.script("In general.");
    expect(await at.ask(`${mention} try again`)).toBe("In general.");
    expect(words(at.asked.at(-1) ?? { system: [], messages: [] })).toContain("Say hello");
  });

  test("without a key", async () => {
    await using at = await serve({ env: { ANTHROPIC_API_KEY: "" } });
    const answer = await at.ask(`${mention} hello?`);
    expect(answer).toContain("ANTHROPIC_API_KEY");
    expect(answer).not.toMatch(machinery);
  });

  test("that does not stop calling tools: bounded steps, then an answer", async () => {
    await using at = await serve({ env: { TURN_MAX_STEPS: "3" } });
    at.claude.script(
      [toolUse("discord_channel_info", {})],
      [toolUse("discord_channel_info", {})],
      [text("Once more."), toolUse("discord_channel_info", {})],
    );
    expect(await at.ask(`${mention} loop`)).toMatch(/^Once more\.\n\nI stopped here: .* the 3 steps/);
    expect(at.asked).toHaveLength(3);
  });

  test("that pauses goes on in the same turn", async () => {
    await using at = await serve();
    at.claude.script({ blocks: [text("Half of it,")], stopReason: "pause_turn" }, "and the other half.");
    expect(await at.ask(`${mention} slowly`)).toBe("Half of it,\n\nand the other half.");
    expect(at.asked[1]?.messages.at(-1)?.role).toBe("assistant");
  });
});

test("Discord's own trouble in a tool is told to the model in words, and the turn goes on", async () => {
  await using at = await serve({ env: { TOOL_TIMEOUT_SECONDS: "1" } });
  const history = { method: "GET", path: new RegExp(`^/channels/${channels.general}/messages$`) };
  at.discord.faults.rest({ ...history, respond: 500, times: 20 });
  at.claude.script([toolUse("discord_message_history", {})], "Discord is unwell.");
  expect(await at.ask(`${mention} what was said?`)).toBe("Discord is unwell.");
  at.discord.faults.clear();
  at.discord.faults.rest({ ...history, respond: "timeout" });
  at.claude.script([toolUse("discord_message_history", {})], "Discord is slow.");
  expect(await at.ask(`${mention} and now?`)).toBe("Discord is slow.");
  const [broken, slow] = [at.asked[1], at.asked[3]].map((asked) => results(asked)[0]);
  expect([broken?.is_error, slow?.is_error]).toEqual([true, true]);
  expect(broken?.content).toMatch(/Discord/);
  expect(slow?.content).toMatch(/1 s|too long/);
  for (const result of [broken, slow]) expect(result?.content).not.toMatch(/\bat \/|http|api/);
});
