import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { backupDatabase } from "../memory/backup.ts";
import { type Command, exit, UsageError } from "./command.ts";
import { existingDatabase } from "./existing-database.ts";
import { ownKeys } from "./own-keys.ts";

export const backup: Command = {
  name: "backup",
  summary: "Copy the database into a file, while the service runs or not.",
  help: `Usage: discord-mcp backup FILE [--force]

Makes a copy of the database as it is at this moment and checks it: that every page and row is sound and that its
data keys open. The service may run meanwhile and does not wait for it. FILE is there whole or not at all, and
readable by you alone; a file that is there is not replaced without --force.

The secret key is not in the copy, and the copy cannot be read without it: keep both, apart from each other.
Bring it back with: discord-mcp restore FILE
`,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: true,
      options: { force: { type: "boolean" } },
    });
    const [to, ...more] = positionals;
    if (to === undefined || more.length > 0) throw new UsageError("name one file: discord-mcp backup FILE");
    const config = readConfig(io.env);
    existingDatabase(config);
    const { secretKey, previous, where } = await ownKeys(config);
    const { bytes, schemaVersion } = await backupDatabase({
      path: config.database.path,
      to,
      force: values.force === true,
      secretKeys: previous === null ? [secretKey] : [secretKey, previous],
    });
    io.out(`${to}: ${bytes} bytes, schema version ${schemaVersion}, checked\n`);
    io.err(
      `discord-mcp: the secret key is not in it and it cannot be read without; keep the key apart from it (${where})\n`,
    );
    return exit.ok;
  },
};
