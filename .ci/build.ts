import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Builds dist/discord-mcp, or for another machine with --target=bun-linux-arm64 dist/discord-mcp-linux-arm64.
 * Made under another name and then renamed, so that whoever runs the old one meanwhile is not disturbed.
 */
const root = resolve(import.meta.dir, "..");
const target = process.argv.find((arg) => arg.startsWith("--target="))?.slice("--target=".length);
const name = target ? `discord-mcp-${target.replace(/^bun-/, "")}` : "discord-mcp";
const outfile = join(root, "dist", name);
const temporary = `${outfile}.${process.pid}`;
mkdirSync(join(root, "dist"), { recursive: true });

const build = Bun.spawnSync({
  cmd: [
    process.execPath,
    "build",
    "src/main.ts",
    "--compile",
    "--minify",
    "--sourcemap",
    "--bytecode",
    "--format=esm",
    // .env in the working folder is part of the configuration; a stranger's bunfig.toml is not.
    "--compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    ...(target ? [`--target=${target}`] : []),
    `--outfile=${temporary}`,
  ],
  cwd: root,
  stdout: "inherit",
  stderr: "inherit",
});
if (build.exitCode !== 0) {
  rmSync(temporary, { force: true });
  process.exit(build.exitCode ?? 1);
}
renameSync(temporary, outfile);
// The source map is in the executable; the copy beside it would pile up.
rmSync(`${temporary}.map`, { force: true });
process.stdout.write(`dist/${name}\n`);
