import { parseArgs } from "node:util";
import { checkModel } from "../agent/check-model.ts";
import { type Config, ConfigError, readConfig } from "../config.ts";
import { askService } from "../control/control.ts";
import { checkDiscord, type Finding } from "../discord/check.ts";
import { allTools } from "../tools/all.ts";
import { assertKnownWords } from "../tools/policy.ts";
import { type Command, exit, type Io } from "./command.ts";
import { checkStorage } from "./doctor-storage.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Check configuration, database, Discord and the model's key, and say what to do.",
  help: `Usage: discord-mcp doctor [--json] [--live]

Checks the configuration, the database and its key, the Discord token, the intents, the bot's permissions in its
servers, and the model's key. Changes nothing. Exit code 0 when nothing has failed (warnings may stand).

  --json   findings as JSON
  --live   only ask the running service whether it lives (for a container's health check)
`,
  async run(args, io) {
    const { values } = parseArgs({
      args: [...args],
      options: { json: { type: "boolean" }, live: { type: "boolean" } },
      strict: true,
    });
    if (values.live) return live(io);
    const findings = await examine(io.env);
    io.out(values.json ? `${JSON.stringify(findings, null, 2)}\n` : findings.map(line).join(""));
    return findings.some(({ state }) => state === "failed") ? exit.failure : exit.ok;
  },
};

async function live(io: Io): Promise<number> {
  const config = readConfig(io.env);
  const answer = await askService(config.dataDir, "status", {});
  if (answer) return exit.ok;
  io.err(`discord-mcp: no service answers in ${config.dataDir}\n`);
  return exit.unavailable;
}

async function examine(env: Io["env"]): Promise<readonly Finding[]> {
  let config: Config;
  try {
    config = readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => ({
      name: "Configuration",
      state: "failed",
      says: problem,
      advice: "Correct it in the environment or in .env; the rest is checked once it can be read.",
    }));
  }
  const [storage, discord, model] = await Promise.all([
    checkStorage(config),
    checkDiscord(config.discord),
    checkModel(config.model),
  ]);
  return [toolsFinding(config), ...storage, ...discord, model];
}

/** The words of a policy are known to the tools alone. */
function toolsFinding({ tools: { policy, guilds } }: Config): Finding {
  const name = "Configuration";
  try {
    assertKnownWords([policy, ...Object.values(guilds)], allTools);
    return { name, state: "ok", says: "can be read" };
  } catch (error) {
    return { name, state: "failed", says: error instanceof Error ? error.message : String(error) };
  }
}

const signs: Record<Finding["state"], string> = {
  ok: "ok     ",
  warning: "warning",
  failed: "FAILED ",
  skipped: "-      ",
};

function line({ state, name, says, advice }: Finding): string {
  return `${signs[state]}  ${name}: ${says}\n${advice ? `         → ${advice}\n` : ""}`;
}
