import { describe, expect, test } from "bun:test";
import type { MessageCreateParams, MessageParam, Tool } from "@anthropic-ai/sdk/resources/messages";
import { demoBrain } from "../../../src/simulator/claude/brain/demo-brain.ts";
import type { ReplyBlock } from "../../../src/simulator/claude/reply.ts";

const systemText = "You are a bot in Discord.\n- user_id: 111\n- channel_id: 222\n- guild_id: 333\n";

function tool(name: string, fields: Record<string, unknown>, required: string[] = []): Tool {
  return { name, input_schema: { type: "object", properties: fields, required } };
}

const id = { type: "string" };
const toolList = [
  tool("discord_user_lookup", { user_id: id }, ["user_id"]),
  tool("discord_channel_info", { channel_id: id }),
  tool("discord_message_history", { channel_id: id, limit: { type: "integer", minimum: 1, maximum: 50 } }),
  tool("discord_server_stats", { guild_id: id }),
  tool("discord_messages_search", { content: id, author_id: id }, ["content"]),
];

async function reply(
  messages: readonly (string | MessageParam)[],
  options: Partial<MessageCreateParams> = {},
): Promise<readonly ReplyBlock[]> {
  const turns = messages.map(
    (message, index): MessageParam =>
      typeof message === "string"
        ? { role: index % 2 === 0 ? "user" : "assistant", content: message }
        : message,
  );
  const request = {
    model: "m",
    max_tokens: 1000,
    system: systemText,
    tools: toolList,
    messages: turns,
    ...options,
  };
  return (await demoBrain(request)).blocks;
}

async function said(...input: Parameters<typeof reply>): Promise<string> {
  return (await reply(...input)).map((block) => (block.type === "text" ? block.text : block.type)).join("\n");
}

async function calls(...input: Parameters<typeof reply>) {
  return (await reply(...input)).flatMap((block) =>
    block.type === "tool_use" ? [[block.name, block.input]] : [],
  );
}

describe("the demo's brain calls", () => {
  const cases: [string, [string, unknown][]][] = [
    ["Who am I?", [["discord_user_lookup", { user_id: "111" }]]],
    ["who is <@123456789012345678>", [["discord_user_lookup", { user_id: "123456789012345678" }]]],
    ["Who is @Bob (223456789012345678)?", [["discord_user_lookup", { user_id: "223456789012345678" }]]],
    ["What is this channel?", [["discord_channel_info", { channel_id: "222" }]]],
    ["tell me about the channel <#444>", [["discord_channel_info", { channel_id: "444" }]]],
    ["What did I miss?", [["discord_message_history", { channel_id: "222", limit: 10 }]]],
    ["show the last 5 messages", [["discord_message_history", { channel_id: "222", limit: 5 }]]],
    ["history, the last 500 messages", [["discord_message_history", { channel_id: "222", limit: 50 }]]],
    ["How many members are here?", [["discord_server_stats", { guild_id: "333" }]]],
    ["server stats please", [["discord_server_stats", { guild_id: "333" }]]],
    ["search for “launch party”.", [["discord_messages_search", { content: "launch party" }]]],
    [
      "Find messages about cake from <@999>",
      [["discord_messages_search", { content: "cake", author_id: "999" }]],
    ],
    [
      "Who am I and what is this channel?",
      [
        ["discord_user_lookup", { user_id: "111" }],
        ["discord_channel_info", { channel_id: "222" }],
      ],
    ],
    [
      "search for cake and who am I",
      [
        ["discord_user_lookup", { user_id: "111" }],
        ["discord_messages_search", { content: "cake" }],
      ],
    ],
    ['call discord_server_stats with {"guild_id": "7"}', [["discord_server_stats", { guild_id: "7" }]]],
    ["I find this nice", []],
    ["What did I say?", []],
  ];
  test.each(cases)("%s", async (question, expected) => {
    const made = await calls([question]);
    expect(made).toHaveLength(expected.length);
    expect(made).toEqual(expect.arrayContaining(expected));
  });

  test("nothing that is not offered, and says what it lacks", async () => {
    expect(await calls(["who am I"], { tools: [] })).toEqual([]);
    expect(await said(["who am I"], { tools: [] })).toContain("discord_user_lookup");
    expect(await said(["who am I"], { system: "nothing known" })).toContain("discord_user_lookup");
  });

  test("what the tool choice says", async () => {
    expect(await calls(["who am I"], { tool_choice: { type: "none" } })).toEqual([]);
    expect(await calls(["Hello"], { tool_choice: { type: "tool", name: "discord_channel_info" } })).toEqual([
      ["discord_channel_info", { channel_id: "222" }],
    ]);
    const single = { type: "auto", disable_parallel_tool_use: true } as const;
    expect(await calls(["who am I and what is this channel?"], { tool_choice: single })).toHaveLength(1);
  });

  test("by the person's words, not by the context around them", async () => {
    const content = [
      { type: "text" as const, text: "<context>\n- user_id: 555\nwhat is this channel\n</context>" },
      { type: "text" as const, text: "who am I" },
    ];
    expect(await calls([{ role: "user", content }])).toEqual([["discord_user_lookup", { user_id: "555" }]]);
  });
});

describe("the demo's brain tells", () => {
  const ask = (name: string, result: string, isError = false) =>
    said([
      "a question",
      { role: "assistant", content: [{ type: "tool_use", id: "t", name, input: {} }] },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "t", content: result, is_error: isError }],
      },
    ]);

  test("a person, found inside a delimiter", async () => {
    const value = {
      user: { id: "1", username: "ada" },
      member: { nick: "Ada L", roles: [{ name: "Helper" }] },
    };
    const told = await ask(
      "discord_user_lookup",
      `<untrusted-4f {x}>\nnote [data]\n${JSON.stringify(value)}\n</untrusted-4f>`,
    );
    expect(told).toContain("**Ada L**");
    expect(told).toContain("Helper");
  });

  test("messages, numbers, text and errors", async () => {
    const messages = [{ author: { username: "bob" }, content: 'cake "}" at 5', timestamp: "2026-11-01" }];
    expect(await ask("discord_message_history", JSON.stringify({ messages }))).toContain(
      '- **bob** (2026-11-01): cake "}" at 5',
    );
    expect(await ask("discord_message_history", JSON.stringify({ messages: [] }))).toBe(
      "I found no messages.",
    );
    const stats = await ask("discord_server_stats", '{"members": 42, "channels": {"text": 3, "voice": 1}}');
    expect(stats).toContain("- members: 42");
    expect(stats).toContain("- channels, text: 3");
    expect(await ask("anything", "plain words")).toContain("plain words");
    expect(await ask("discord_channel_info", '{"name": "gen')).toContain("gen");
    expect(await ask("anything", "permission_denied: no", true)).toContain("permission_denied: no");
  });
});

describe("the demo's brain remembers", () => {
  test("a name, whatever was said since", async () => {
    const history = ["Hi, my name is Ada", "Nice to meet you", "2 + 3?", "5", "What is my name?"];
    expect(await said(history)).toBe("Your name is Ada.");
    expect(await said(["What is my name?"])).toContain("not told me");
    expect(await said(["my name is Ada", "ok", "no, my name is Grace", "ok", "what's my name"])).toContain(
      "Grace",
    );
  });

  test("what it was asked to remember, what was said, and things by name", async () => {
    const history = [
      "Please remember that the launch is on Friday.",
      "ok",
      "my favourite colour is blue",
      "ok",
    ];
    expect(await said([...history, "What did I ask you to remember?"])).toContain(
      "- the launch is on Friday",
    );
    expect(await said([...history, "What is my favourite colour?"])).toBe("Your favourite colour is blue.");
    expect(await said([...history, "what did I say first?"])).toContain("“Please remember that");
    expect(await said([...history, "what did I say?"])).toContain("“my favourite colour is blue”");
  });

  test("the name that the preferences give", async () => {
    for (const line of ["Call the person Captain.", "- name: Captain", "They want to be called “Captain”."])
      expect(await said(["Hello"], { system: `${systemText}${line}` })).toStartWith("Hello, Captain!");
  });

  test("through a summary of its own", async () => {
    const history = [
      "My name is Ada",
      "ok",
      "remember that the code is 42",
      "ok",
      "My dog is called Rex. Who am I?",
    ];
    const options = { system: "Summarise the conversation, keep facts.", tools: [] };
    const summary = await said([...history, "ok", "Please summarise."], options);
    expect(summary).toBe(await said([...history, "ok", "Please summarise."], options));
    for (const fact of ["Ada", "the code is 42", "Rex", "Who am I?"]) expect(summary).toContain(fact);

    const transcript = history
      .map((line, index) => `${index % 2 === 0 ? "user" : "assistant"}: ${line}`)
      .join("\n");
    expect(await said([transcript], options)).toBe(summary);

    const system = `${systemText}\n${summary}`;
    expect(await said(["What is my name?"], { system })).toBe("Your name is Ada.");
    expect(await said(["What did I ask you to remember?"], { system })).toContain("the code is 42");
    expect(await said([`${summary}\n\nuser: I like tea`], options)).toContain("The person's name is Ada");
  });
});

test("the demo's brain greets, helps, reckons, and quotes what it does not understand", async () => {
  expect(await said(["Good morning!"])).toStartWith("Hello!");
  expect(await said(["help"])).toContain("`discord_server_stats`");
  expect(await said(["What is 6 * 7?"])).toBe("6 * 7 = 42");
  expect(await said(["Colourless green ideas"])).toContain("“Colourless green ideas”");
  expect((await said(["x".repeat(4000)])).length).toBeLessThan(2000);
});
