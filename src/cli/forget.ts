import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { readAnswer, type StoredCounts } from "../operations/personal.ts";
import { type Command, exit, type Io } from "./command.ts";
import { openPersonal, type Personal, readUser } from "./personal.ts";

export const forget: Command = {
  name: "forget",
  summary: "Delete everything that is stored about a person.",
  help: `Usage: discord-mcp forget USER [--yes] [--json]

Stops what the person's messages have begun, ends their sessions, revokes the tokens that speak for them, and
deletes their conversations, memories, preferences and all else that is theirs. The log of tool calls keeps its
rows without them. What it cannot reach (backups, what Discord shows) is in docs/privacy.md. It cannot be undone.
Works while the service runs, through its control socket, and while it does not; run again, it goes on.

  USER     the person's Discord user id
  --yes    do not ask
  --json   print what was found, and how it ended, as JSON
`,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: true,
      options: { yes: { type: "boolean" }, json: { type: "boolean" } },
    });
    const user_id = readUser(positionals);
    using personal = openPersonal(readConfig(io.env));
    const counts = readAnswer("personal_counts", await personal.ask("personal_counts", { user_id }));
    const tell = values.json ? io.err : io.out;
    tell(`Stored about ${user_id}: ${summary(counts)}.\n`);
    if (values.yes !== true && !(await confirmed(io))) {
      io.err(
        io.interactive
          ? "discord-mcp: nothing was deleted\n"
          : "discord-mcp: nothing was deleted; say --yes to delete it without being asked\n",
      );
      return exit.failure;
    }
    const state = await finish(personal, user_id, io);
    if (state === null) return exit.failure;
    if (values.json) io.out(`${JSON.stringify({ user_id, found: counts, state }, null, 2)}\n`);
    else
      io.out(
        state === "done"
          ? "Deleted.\n"
          : "Deleted. What others are working with just now and that names them is withheld by the service once that has ended.\n",
      );
    return exit.ok;
  },
};

async function confirmed(io: Io): Promise<boolean> {
  if (!io.interactive) return false;
  io.out("Delete all of it? It cannot be undone. Type yes: ");
  for await (const line of io.lines()) return line.trim().toLowerCase() === "yes";
  return false;
}

/** Null when it was interrupted. */
async function finish(personal: Personal, user_id: string, io: Io): Promise<"done" | "left" | null> {
  for (;;) {
    const { state } = readAnswer("personal_forget", await personal.ask("personal_forget", { user_id }));
    if (state !== "working") return state;
    if (!io.stop.aborted) continue;
    io.err("discord-mcp: not finished; the service goes on with it, or run this command again\n");
    return null;
  }
}

function summary(counts: StoredCounts): string {
  const found = Object.entries(counts).filter(([, n]) => n > 0);
  if (found.length === 0) return "nothing that is counted";
  return found.map(([name, n]) => `${n} ${name.replaceAll("_", " ")}`).join(", ");
}
