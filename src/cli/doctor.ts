import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkModel } from "../agent/check-model.ts";
import { type Config, ConfigError, readConfig } from "../config.ts";
import { askService } from "../control/control.ts";
import { checkDiscord, type Finding } from "../discord/check.ts";
import { checkDatabase } from "../memory/check.ts";
import { type Command, exit, type Io } from "./command.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Check configuration, database, Discord and the model's key, and say what to do.",
  help: `Usage: discord-mcp doctor [--json] [--live]

Checks the configuration, the database, the Discord token, the intents, the bot's permissions in its
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
  const [service, discord, model] = await Promise.all([
    checkService(config),
    checkDiscord(config.discord),
    checkModel(config.model),
  ]);
  return [
    { name: "Configuration", state: "ok", says: "can be read" },
    service,
    databaseFinding(config),
    ...discord,
    model,
  ];
}

async function checkService(config: Config): Promise<Finding> {
  const running = await askService(config.dataDir, "status", {});
  if (running) return { name: "Service", state: "ok", says: "runs on this data folder" };
  return { name: "Service", state: "skipped", says: "does not run on this data folder" };
}

function databaseFinding(config: Config): Finding {
  const name = "Database";
  if (!existsSync(config.database.path)) {
    return { name, state: "ok", says: `${config.database.path} is made at the first start` };
  }
  try {
    const { schemaVersion } = checkDatabase(config.database.path);
    return { name, state: "ok", says: `${config.database.path} is sound (schema version ${schemaVersion})` };
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    return {
      name,
      state: "failed",
      says,
      advice: "Nothing has been changed; mend it or name another file in DATABASE_URL.",
    };
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
