import { parseEnv } from "node:util";
import fc from "fast-check";
import { BadPolicy, readGuildPolicies } from "../../../src/config/tool-policy.ts";
import { variables } from "../../../src/config/variables.ts";
import { ConfigError, readConfig } from "../../../src/config.ts";
import { holds } from "../holds.ts";
import { mutated, nasty, scrambled } from "../mutate.ts";
import { target } from "../target.ts";

const names = Object.keys(variables);
const policies = [
  {
    "300000000000000001": {
      tools: "read,reply,members:write",
      writes: "run",
      private_answers: "direct",
      moderators_use_2fa: true,
      direct_messages: "members",
    },
    "300000000000000002": { tools: ["all"], writes: "ask" },
  },
];

/** Values that are right for some variable, and so nearly right for others. */
const good = [
  "discord.token.abc",
  "https://discord.com/api",
  "http://[::1]:8000/a?b#c",
  "ab".repeat(32),
  "message_content,members",
  "none",
  "auto",
  "12",
  "!",
  "300000000000000001,300000000000000002",
  "on",
  "off",
  "claude-sonnet-5-5",
  "low",
  "4096",
  "read,reply,members:write",
  "ask",
  "run",
  "yes",
  JSON.stringify(policies[0]),
  "file:./data/x.db",
  "file:///tmp/x.db",
  "sqlite:x",
  "./x.db",
  "127.0.0.1",
  "0.0.0.0",
  "::1",
  "localhost",
  "required",
  "1",
  "0",
  "example.org,*.example.org",
  "https://example.org",
  "k".repeat(43),
  "1200/60",
  "info",
  "json",
  "debug",
];
const value = fc.oneof(
  fc.constantFrom(...good),
  scrambled(good),
  nasty.map((each) => (typeof each === "string" ? each : JSON.stringify(each))),
  fc.string({ unit: "binary", maxLength: 40 }),
);

const environment = fc
  .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 12 })
  .map((pairs) => Object.fromEntries(pairs));

/** Reads it; what is wrong must say where, and in a line. Whether it was a configuration. */
function checkConfig(env: Readonly<Record<string, string | undefined>>): "read" | "refused" {
  try {
    const config = readConfig(env);
    holds(
      Object.isFrozen(config) && Object.isFrozen(config.tools.guilds),
      "a configuration that can be changed",
    );
    holds(Number.isSafeInteger(config.http.port) && config.http.port <= 65_535, `a port ${config.http.port}`);
    for (const rate of Object.values(config.limits))
      holds(rate.points > 0 && rate.seconds > 0, "a limit of none");
    for (const [name, time] of Object.entries({
      ...config.turn,
      ttl: config.session.ttlMs,
      drain: config.drainMs,
    }))
      holds(Number.isSafeInteger(time) && time >= 0, `${name} is ${time}`);
    holds(!config.database.path.includes("\0"), "a path that no file can have");
    holds(URL.canParse(config.discord.apiUrl), "an address that is none");
    return "read";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    holds(error.problems.length > 0, "an error without a problem");
    for (const problem of error.problems) {
      holds(
        names.some((name) => problem.startsWith(`${name} `)),
        `a problem of no variable: ${problem}`,
      );
      holds(problem.length < 1000, `a problem of ${problem.length} characters`);
      holds(!/\p{Cc}/u.test(problem), `a problem with control characters: ${JSON.stringify(problem)}`);
    }
    return "refused";
  }
}

export const config = target(
  "config",
  "any environment is a configuration, or problems that name their variable",
  1000,
  () => ({
    inputs: environment,
    check: checkConfig,
  }),
);

export const policy = target(
  "policy",
  "any GUILD_POLICIES is policies, or an error that says where",
  500,
  () => ({
    inputs: fc.oneof(
      mutated(policies, 4).map((each) => JSON.stringify(each)),
      scrambled(policies.map((each) => JSON.stringify(each))),
      fc.json(),
    ),
    check(text) {
      checkConfig({ GUILD_POLICIES: text });
      try {
        const read = readGuildPolicies(text);
        for (const [guildId, of] of Object.entries(read)) {
          holds(/^\d{15,20}$/.test(guildId), `a server ${guildId}`);
          holds(
            of.tools === undefined || of.tools.every((word) => typeof word === "string"),
            "words that are none",
          );
        }
        return "read";
      } catch (error) {
        holds(error instanceof BadPolicy, `it throws ${error}`);
        return "refused";
      }
    },
  }),
);

const lines = names.map((name, at) => `${name}=${good[at % good.length]}`);
export const dotenv = target(
  "dotenv",
  "any .env is read as an environment, or its problems are told",
  500,
  () => ({
    inputs: scrambled([
      lines.join("\n"),
      `export ${lines[0]}\n${lines[1]} # said\n${lines[2]}='a\nb'\nSYSTEM_PROMPT="a\\nb`,
      `\ufeff${lines.join("\r\n")}`,
    ]),
    check: (text) => checkConfig(parseEnv(text)),
  }),
);
