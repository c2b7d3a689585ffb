import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BadPolicy, readGuildPolicies, readToolWords } from "../../src/config/tool-policy.ts";
import { ConfigError, readConfig } from "../../src/config.ts";

const guildId = "300000000000000001";

function faultOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof BadPolicy) return error.message;
    throw error;
  }
  return "";
}

describe("words that switch tools on", () => {
  test("are kinds, families, both, and names of tools", () => {
    expect(readToolWords("read, reply,members:write ,discord_member_ban,")).toEqual([
      "read",
      "reply",
      "members:write",
      "discord_member_ban",
    ]);
  });

  test.each(["Read", "members:all", "members write", "x".repeat(100).toUpperCase()])("%s is none", (word) => {
    expect(faultOf(() => readToolWords(word))).toContain("is none of kinds, families");
  });
});

describe("GUILD_POLICIES", () => {
  test("reads every field, and leaves out what is left out", () => {
    const fields = {
      tools: ["read", "members"],
      writes: "run",
      private_answers: "direct",
      moderators_use_2fa: true,
      direct_messages: "members",
    };
    expect(readGuildPolicies(JSON.stringify({ [guildId]: fields }))).toEqual({
      [guildId]: {
        tools: ["read", "members"],
        writes: "run",
        privateAnswers: "direct",
        moderatorsUse2fa: true,
        directMessages: "members",
      },
    });
    expect(readGuildPolicies(`{"${guildId}": {}}`)).toEqual({ [guildId]: {} });
  });

  test.each([
    ["{", "must be JSON"],
    ["[]", "must be a JSON object"],
    ['{"harbour": {}}', '"harbour" is no id of a server'],
    [`{"${guildId}": []}`, "must be a JSON object"],
    [`{"${guildId}": {"write": "run"}}`, 'unknown field "write"; known are tools, writes'],
    [`{"${guildId}": {"writes": "never"}}`, 'writes must be one of "ask", "run"'],
    [`{"${guildId}": {"tools": [1]}}`, "tools must be a text or a list"],
    [`{"${guildId}": {"tools": "all, Members"}}`, '"Members" is none of'],
  ])("refuses %s", (text, fault) => {
    expect(faultOf(() => readGuildPolicies(text))).toContain(fault);
  });

  test("throws nothing but BadPolicy, whatever it is given", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        faultOf(() => readGuildPolicies(text));
      }),
    );
  });

  test("is a problem of the configuration that names its variable", () => {
    try {
      readConfig({ GUILD_POLICIES: "{", TOOLS: "Everything" });
      throw new Error("It was accepted.");
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.problems.map((problem) => problem.split(" ")[0])).toEqual(["TOOLS", "GUILD_POLICIES"]);
    }
  });
});
