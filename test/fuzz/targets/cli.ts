import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { command } from "../../cli/io.ts";
import { holds } from "../holds.ts";
import { scrambled } from "../mutate.ts";
import { Rejections } from "../rejections.ts";
import { target } from "../target.ts";

/** Those that end by themselves and touch nothing but the folder that they are given. */
const lines = [
  "token create --name x --user 300000000000000001 --scope tools --guild 300000000000000002 --expires-days 3 --json",
  "token create --operator --name y",
  "token list --json",
  "token revoke 0123456789abcdef",
  "audit --user 300000000000000001 --tool discord_message_send --verdict done --since 2026-01-01 --until 2026-02-01T10:00:00Z --limit 5 --json",
  "backup FOLDER/copy.db --force",
  "restore FOLDER/copy.db",
  "keys list --json",
  "keys rotate",
  "keys status --json",
  "forget 300000000000000001 --yes --json",
  "export 300000000000000001 --output FOLDER/out.json",
  "connect claude-code --user 300000000000000001 --guild 300000000000000002 --name here --file FOLDER/client.json --write",
  "connect cursor --http http://127.0.0.1:1",
  "mcp --user 300000000000000001 --operator --folder FOLDER --database FOLDER/x.db",
  "version",
  "help",
  "--help",
  "--version",
  "nothing",
  "token --help",
];
const words = [...new Set(lines.flatMap((line) => line.split(" ")))];
const word = fc.oneof(
  fc.constantFrom(...words),
  scrambled(words),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom(
    "",
    "-",
    "--",
    "--=",
    "--json=1",
    "-x",
    "--name",
    "__proto__",
    "--__proto__=1",
    "FOLDER",
    "FOLDER/none/x",
    "/dev/null",
  ),
);
const args = fc.oneof(
  fc.constantFrom(...lines).map((line) => line.split(" ")),
  fc
    .tuple(fc.constantFrom(...lines), fc.nat(20), word, fc.boolean())
    .map(([line, at, other, isMore]) => line.split(" ").toSpliced(at, isMore ? 0 : 1, other)),
  fc
    .tuple(
      fc.constantFrom("token", "audit", "keys", "backup", "restore", "forget", "export", "connect", "mcp"),
      fc.array(word, { maxLength: 5 }),
    )
    .map(([first, rest]) => [first, ...rest]),
);
/** They would serve, or ask Discord. */
const lasting = ["serve", "demo", "doctor"];

export const cli = target(
  "cli",
  "whatever the command line, it ends with an exit code and a sentence, never with a stack",
  40,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "fuzz-cli-"));
    const rejections = new Rejections();
    // What a changed path names must not be made elsewhere.
    const before = process.cwd();
    process.chdir(folder);
    const files = ["not a database", "", "{}", "SQLite format 3\0and no more"];
    return {
      inputs: fc.record({ args, file: fc.option(fc.constantFrom(...files), { freq: 5 }) }),
      async check({ args: given, file }) {
        const argv = given.map((each) => each.replace("FOLDER", folder));
        const [first] = argv;
        // Without a command, or with options alone, it serves.
        if (first === undefined || first === "" || first.startsWith("-") || lasting.includes(first))
          return "not run";
        const path = join(folder, file === null ? "data.db" : `${crypto.randomUUID()}.db`);
        if (file !== null) writeFileSync(path, file);
        const { code, out, err } = await command(argv, { DATABASE_URL: path, HOME: folder, APPDATA: folder });
        rejections.check();
        holds([0, 1, 64, 69, 75, 78].includes(code), `it ends with ${code}`);
        holds(code === 0 || err.trim() !== "", `it ends with ${code} and says nothing`);
        holds(!/\n\s+at .*:\d+/.test(err + out), `a stack: ${err}`);
        return `exit code ${code}`;
      },
      async [Symbol.asyncDispose]() {
        process.chdir(before);
        rmSync(folder, { recursive: true, force: true });
        rejections[Symbol.dispose]();
      },
    };
  },
);
