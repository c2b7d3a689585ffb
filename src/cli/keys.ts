import { parseArgs } from "node:util";
import { makeNextSecretKey, secretKeyPath } from "../auth/secret-key.ts";
import { type Config, readConfig } from "../config.ts";
import { openStored } from "../database.ts";
import { AppError } from "../errors.ts";
import { countKeys, type KeyCount } from "../memory/key-counts.ts";
import { createKeyOperations, type Progress, readProgress } from "../operations/keys.ts";
import { type Command, exit, type Io, UsageError } from "./command.ts";
import { existingDatabase } from "./existing-database.ts";
import { openOperations } from "./operations.ts";

export const keys: Command = {
  name: "keys",
  summary: "Show and change the keys that the stored content is sealed with.",
  help: `Usage: discord-mcp keys show [--json]
       discord-mcp keys rotate [--secret]

What is stored is sealed with a data key, which lies in the database and is itself sealed with the secret key.

show            each data key, since when there is one, and how much is sealed with it; never a key itself
rotate          makes a new data key, seals everything with it and destroys the old one. Works while the service
                runs, which goes on serving, and while it does not. It can be stopped at any time: everything stays
                readable, and the next rotate goes on.
rotate --secret makes a new secret key in the file beside the database, and seals the data keys with it. The service
                must not run, and tokens of open sessions end with the old key. Where SECRET_KEY is set, set the new
                one there and the old one as SECRET_KEY_PREVIOUS, and start the service once.

Backups are not changed: what was made before is sealed with the keys of then. rotate --secret keeps no copy of the
secret key that was: for as long as you keep backups, keep the key that they were made with.
`,
  async run(args, io) {
    const [action, ...rest] = args;
    switch (action) {
      case "show":
        return show(rest, io);
      case "rotate":
        return rotate(rest, io);
      default:
        throw new UsageError(action === undefined ? "say show or rotate" : `there is no action "${action}"`);
    }
  },
};

const stored = (values: KeyCount["values"]): number => Object.values(values).reduce((sum, n) => sum + n, 0);

function show(args: readonly string[], io: Io): number {
  const { values } = parseArgs({ args: [...args], strict: true, options: { json: { type: "boolean" } } });
  const found = countKeys(existingDatabase(readConfig(io.env)));
  if (values.json) {
    const lines = found.map(({ id, createdAt, values: counts }) => ({
      id,
      created_at: new Date(createdAt).toISOString(),
      values: counts,
    }));
    io.out(`${JSON.stringify(lines, null, 2)}\n`);
    return exit.ok;
  }
  for (const { id, createdAt, values: counts } of found) {
    const by = Object.entries(counts).map(([table, n]) => `${table} ${n}`);
    io.out(`key ${id}, made ${new Date(createdAt).toISOString()}: ${stored(counts)} values`);
    io.out(by.length === 0 ? "\n" : ` (${by.join(", ")})\n`);
  }
  if (found.length > 1)
    io.out("A change of the data key is under way; discord-mcp keys rotate goes on with it.\n");
  return exit.ok;
}

async function rotate(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args: [...args], strict: true, options: { secret: { type: "boolean" } } });
  const config = readConfig(io.env);
  const path = existingDatabase(config);
  if (values.secret) return rotateSecret(config, io);
  const found = countKeys(path);
  const newest = found.at(-1)?.id;
  const isUnderWay = found.length > 1;
  const total = found
    .filter(({ id }) => !isUnderWay || id !== newest)
    .reduce((sum, key) => sum + stored(key.values), 0);
  const begun = isUnderWay ? "Going on with the change of the data key" : "Changing the data key";
  io.err(`${begun}: ${total} values are to be sealed anew.\n`);
  const end = await rotateAll(config, io, total);
  if (end === null) {
    io.err("discord-mcp: stopped; everything is readable, and discord-mcp keys rotate goes on from here\n");
    return exit.failure;
  }
  io.out(`Everything is sealed with data key ${end.key}; the older one is destroyed.\n`);
  return exit.ok;
}

/** Null when it was stopped before the end. */
async function rotateAll(config: Config, io: Io, total: number): Promise<Progress | null> {
  using operations = openOperations(config, ({ memory }) => createKeyOperations(memory.keys));
  let to: number | null = null;
  for (;;) {
    const progress: Progress = readProgress(await operations.ask("keys_rotate", { to }));
    if (progress.finished) return progress;
    if (io.stop.aborted) return null;
    to = progress.key;
    io.err(`  ${Math.min(progress.resealed, total)} of ${total} (${progress.table ?? "checking"})\n`);
  }
}

async function rotateSecret(config: Config, io: Io): Promise<number> {
  if (config.secretKey !== null)
    throw new AppError(
      "invalid_arguments",
      "SECRET_KEY is set, so the key is yours to change: set a new SECRET_KEY (openssl rand -base64 48), the present one as SECRET_KEY_PREVIOUS, and start the service once; after that SECRET_KEY_PREVIOUS can go.",
    );
  // Makes sure that the present key opens, and that no service runs.
  (await openStored(config))[Symbol.dispose]();
  await makeNextSecretKey(config.dataDir);
  (await openStored(config))[Symbol.dispose]();
  io.out(
    `There is a new secret key in ${secretKeyPath(config.dataDir)}; back it up, the old one opens nothing here any more.\nBackups that were made before open with the old key alone: make a new one with discord-mcp backup FILE.\n`,
  );
  return exit.ok;
}
