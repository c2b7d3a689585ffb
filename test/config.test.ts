import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { variables } from "../src/config/variables.ts";
import { ConfigError, readConfig } from "../src/config.ts";

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("readConfig", () => {
  test("an empty environment is a working configuration", () => {
    const config = readConfig({});
    expect(config.http).toMatchObject({ host: "127.0.0.1", port: 8000, auth: "required" });
    expect(config.database.path).toEndWith("/data/discord-mcp.db");
    expect(config.discord.token).toBeNull();
    expect(Object.isFrozen(config.discord.allow)).toBe(true);
  });

  test("an empty variable counts as absent", () => {
    expect(readConfig({ MCP_PORT: "", DISCORD_TOKEN: " " })).toEqual(readConfig({}));
  });

  test("all problems are told at once, each with its variable", () => {
    const problems = problemsOf({
      MCP_PORT: "eighty",
      DISCORD_API_URL: "discord",
      SECRET_KEY: "short",
      DATABASE_URL: "postgresql://user:password@localhost/discord_mcp",
      LOG_LEVEL: "loud",
      DISCORD_ALLOWED_USERS: "ana",
      RATE_LIMIT_USER: "many",
    });
    expect(problems.map((problem) => problem.split(" ")[0]).sort()).toEqual([
      "DATABASE_URL",
      "DISCORD_ALLOWED_USERS",
      "DISCORD_API_URL",
      "LOG_LEVEL",
      "MCP_PORT",
      "RATE_LIMIT_USER",
      "SECRET_KEY",
    ]);
  });

  test.each(["your-secret-key-change-this", "your-secret-key-change-this-in-production"])(
    "refuses the example key %s",
    (key) => {
      expect(problemsOf({ SECRET_KEY: key })[0]).toContain("is the example");
    },
  );

  test("authentication can be off on loopback only", () => {
    expect(problemsOf({ MCP_AUTH: "off" })).toEqual([]);
    expect(problemsOf({ MCP_AUTH: "off", MCP_HOST: "::1" })).toEqual([]);
    for (const host of ["0.0.0.0", "127.999.0.1", "127.0.0.1.example.org"]) {
      expect(problemsOf({ MCP_AUTH: "off", MCP_HOST: host })[0]).toStartWith("MCP_AUTH must be required");
    }
  });

  test("a problem is one line, whatever the value holds", () => {
    expect(problemsOf({ MCP_PORT: "80\n\u001b[31m80" })).toEqual([
      'MCP_PORT must be a whole number from 0 to 65535, not "80\ufffd\ufffd[31m80"',
    ]);
  });

  test("a previous key alone is contradictory", () => {
    expect(problemsOf({ SECRET_KEY_PREVIOUS: "x".repeat(32) })[0]).toContain("SECRET_KEY");
  });

  test.each([
    ["file:./a/b.db", "/a/b.db"],
    ["file:///var/lib/x.db", "/var/lib/x.db"],
    ["sqlite:./c.db", "/c.db"],
    ["/abs/d.db", "/abs/d.db"],
  ])("reads the database address %s", (url, path) => {
    expect(readConfig({ DATABASE_URL: url }).database.path).toEndWith(path);
  });

  test("no text in any variable makes it throw anything but ConfigError, and secrets are not quoted", () => {
    const names = Object.keys(variables);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string({ minLength: 1, maxLength: 80 }), (name, text) => {
        for (const problem of problemsOf({ [name]: text })) expect(problem).toStartWith(name);
      }),
    );
    expect(problemsOf({ SECRET_KEY: "hunter2hunter2" }).join()).not.toContain("hunter2");
  });
});
