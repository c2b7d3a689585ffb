import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { AppError } from "../errors.ts";
import type { ExportPage } from "../memory/export.ts";
import { assertTarget } from "../memory/target.ts";
import { readAnswer } from "../operations/personal.ts";
import { type Command, exit } from "./command.ts";
import { openPersonal, type Personal, readUser } from "./personal.ts";

export const exportCommand: Command = {
  name: "export",
  summary: "Write everything that is stored about a person as JSON.",
  help: `Usage: discord-mcp export USER [--output FILE [--force]]

Writes one JSON object with a record for each conversation, turn, memory and whatever else is stored of the person,
readable; docs/privacy.md describes it. Works while the service runs, through its control socket, and while it
does not.

  USER            the person's Discord user id
  --output FILE   write it there, readable by you alone, instead of to standard output
  --force         replace a file that is there
`,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: true,
      options: { output: { type: "string" }, force: { type: "boolean" } },
    });
    const userId = readUser(positionals);
    const config = readConfig(io.env);
    const { output, force = false } = values;
    if (output !== undefined) assertTarget({ to: output, force, databasePath: config.database.path });
    using personal = openPersonal(config);
    const parts = exported(personal, userId);
    if (output === undefined) for await (const part of parts) await io.written(part);
    else {
      await toFile(output, parts);
      io.err(`discord-mcp: written to ${output}\n`);
    }
    return exit.ok;
  },
};

/** The document in parts, none larger than a page. */
async function* exported(personal: Personal, user_id: string): AsyncGenerator<string> {
  const read = async (cursor: string | null): Promise<ExportPage> =>
    readAnswer("personal_export", await personal.ask("personal_export", { user_id, cursor }));
  const head = { format: "discord-mcp export", version: 1, user_id, exported_at: new Date().toISOString() };
  // Nothing is written before something could be read.
  let page = await read(null);
  yield `${JSON.stringify(head).slice(0, -1)},"records":[`;
  let comma = "";
  for (;;) {
    for (const record of page.records) {
      yield `${comma}\n${JSON.stringify(record)}`;
      comma = ",";
    }
    if (page.next === null) break;
    page = await read(page.next);
  }
  yield "\n]}\n";
}

/** Whole, or not at all. */
async function toFile(path: string, parts: AsyncIterable<string>): Promise<void> {
  const made = `${path}.${process.pid}.new`;
  try {
    const file = openSync(made, "wx", 0o600);
    try {
      for await (const part of parts) writeWhole(file, Buffer.from(part));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(made, path);
  } catch (error) {
    rmSync(made, { force: true });
    if (error instanceof AppError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("invalid_data", `${path} cannot be written: ${why}`, { cause: error });
  }
}

/** A disk that is nearly full takes a part, and says so only by how much that is. */
function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
