import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Everything that CI runs, in the order in which it fails fastest. Each stage runs even when an earlier one
 * failed, except the tests without a binary. The last line is taken from the test runner's own report.
 */
const root = resolve(import.meta.dir, "..");
const report = join(root, ".check", "junit.xml");
const bun = process.execPath;
mkdirSync(join(root, ".check"), { recursive: true });

const stages: readonly { readonly name: string; readonly cmd: readonly string[] }[] = [
  { name: "format and lint", cmd: [bun, "run", "--silent", "lint"] },
  { name: "types", cmd: [bun, "run", "--silent", "types"] },
  { name: "unused code", cmd: [bun, "run", "--silent", "unused"] },
  { name: "generated documentation", cmd: [bun, ".ci/docs.ts", "--check"] },
  { name: "build", cmd: [bun, ".ci/build.ts"] },
  {
    name: "tests",
    cmd: [
      bun,
      "test",
      "--parallel=2",
      "--timeout=60000",
      "--only-failures",
      "--reporter=junit",
      `--reporter-outfile=${report}`,
    ],
  },
];

const failed: string[] = [];
for (const { name, cmd } of stages) {
  const began = performance.now();
  const result = Bun.spawnSync({
    cmd: [...cmd],
    cwd: root,
    stdout: "inherit",
    stderr: "inherit",
    stdin: "ignore",
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`${result.exitCode === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)\n`);
  if (result.exitCode !== 0) failed.push(name);
}

const totals = existsSync(report) ? /<testsuites[^>]*>/.exec(readFileSync(report, "utf8"))?.[0] : undefined;
const count = (name: string): number =>
  Number(new RegExp(`\\b${name}="(\\d+)"`).exec(totals ?? "")?.[1] ?? 0);
const broken = count("failures") + count("errors");
const stagesFailed = failed.filter((name) => name !== "tests").length;
// A runner that died without a report has failed, whatever it counted.
const missing = totals === undefined || (failed.includes("tests") && broken === 0) ? 1 : 0;
if (failed.length > 0) process.stdout.write(`failed stages: ${failed.join(", ")}\n`);
process.stdout.write(
  `${count("tests") - broken - count("skipped")} passed, ${broken + stagesFailed + missing} failed\n`,
);
process.exit(failed.length === 0 ? 0 : 1);
