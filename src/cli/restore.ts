import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { assertBackup, restoreDatabase } from "../memory/restore.ts";
import { acquireServeLock } from "../memory/serve-lock.ts";
import { type Command, exit, UsageError } from "./command.ts";
import { ownKeys } from "./own-keys.ts";

export const restore: Command = {
  name: "restore",
  summary: "Put a backup in the place of the database.",
  help: `Usage: discord-mcp restore FILE

Checks a backup, brings it up to date and puts it in the place of the database; the one that was there is kept beside
it, as NAME.before-restore-TIME. The service must not run. A backup that is damaged, of a newer version, or sealed
with another secret key is refused, and nothing is changed.

What was unfinished when the backup was made is ended and not done again: its answer may have been posted since. From
the database that is replaced it takes over which messages were answered, which tokens were revoked, and who was
forgotten: the next start forgets them again. Where that one cannot be read, nothing is answered that was said before
now, tokens that were revoked since the backup are valid again (discord-mcp token list), and whoever was forgotten since
is in it (discord-mcp forget USER).
`,
  async run(args, io) {
    const { positionals } = parseArgs({ args: [...args], strict: true, allowPositionals: true, options: {} });
    const [from, ...more] = positionals;
    if (from === undefined || more.length > 0)
      throw new UsageError("name one file: discord-mcp restore FILE");
    assertBackup(from);
    const config = readConfig(io.env);
    const { path } = config.database;
    using _lock = acquireServeLock(path);
    const { secretKey, previous } = await ownKeys(config);
    const restored = restoreDatabase({
      from,
      path,
      secretKey,
      secretKeyPrevious: previous,
      now: Date.now,
    });
    const { kept, isCarriedOver, forgottenAgain, ended } = restored;
    io.out(`${path} is now what ${from} was.\n`);
    if (kept !== null) io.out(`What was there before is kept as ${kept}\n`);
    io.out(
      `Ended, since it was unfinished: ${ended.turns} turns, ${ended.posts} posts, ${ended.approvals} questions.\n`,
    );
    if (forgottenAgain > 0)
      io.out(
        `People who were forgotten since the backup: ${forgottenAgain}. The next start forgets them again; do not put it off.\n`,
      );
    if (!isCarriedOver)
      io.err(
        "discord-mcp: nothing could be taken over from a database before it: what was said before now is not answered, and tokens revoked since the backup are valid again (discord-mcp token list), and whoever was forgotten since is in it (discord-mcp forget USER)\n",
      );
    return exit.ok;
  },
};
