import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Running, run } from "./binary.ts";

setDefaultTimeout(120_000);

const manifest = fileURLToPath(import.meta.resolve("@modelcontextprotocol/conformance/package.json"));
const suite = join(dirname(manifest), "dist/index.js");
const expectedFailures = join(import.meta.dir, "mcp-expected-failures.yml");
let folder: string;
let service: Running;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-conformance-"));
  service = run(["serve"], folder, {
    MCP_AUTH: "off",
    MCP_CONFORMANCE_FIXTURES: "1",
    MCP_PORT: "0",
    RATE_LIMIT_ADDRESS: "100000/60",
    RATE_LIMIT_TOKEN: "100000/60",
  });
  const found = await service.waitFor(/http:\/\/127\.0\.0\.1:\d+/);
  url = `${found[0]}/mcp`;
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** What the suite says of the scenarios that the arguments choose, and the exit code that sums it up. */
async function conform(...args: string[]): Promise<{ readonly exitCode: number; readonly report: string }> {
  const results = join(folder, crypto.randomUUID());
  const child = Bun.spawn({
    cmd: [process.execPath, suite, "server", "--url", url, "-o", results, ...args],
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const report = `${out.slice(out.indexOf("=== SUMMARY ==="))}${err}`;
  return { exitCode: await child.exited, report: Bun.stripANSI(report) };
}

/** The names under that heading, a line each. */
function listed(report: string, heading: string): string[] {
  const [, after = ""] = report.split(heading);
  return [...(after.split("\n\n")[0] ?? "").matchAll(/^ {2}\S (\S+)$/gm)].map(([, name]) => name ?? "");
}

describe("the conformance suite, against the executable", () => {
  test.each([
    ["2026-07-28", 37],
    ["2025-11-25", 30],
  ])("every required scenario of %s passes", async (revision, scenarios) => {
    const { exitCode, report } = await conform("--requirements", revision);
    const [required = "", unscored = ""] = report.split("Not scored for");
    const extensions = unscored.matchAll(/^\s+[✓✗] (\S+)/gm);
    const others = new Set([...extensions].map(([, name]) => name));
    const passed = [...required.matchAll(/^✓ ([\w-]+): /gm)].filter(([, name]) => !others.has(name));
    const failed = [...required.matchAll(/^✗ ([\w-]+): /gm)].filter(([, name]) => !others.has(name));
    expect(failed.map(([line]) => line)).toEqual([]);
    expect(passed.length).toBe(scenarios);
    expect(exitCode).toBe(0);
  });

  /** A revision requires nothing that fails; what is listed here is recommended, pending, or an extension. */
  test("of all that it can try, what is listed as failing fails, and nothing else", async () => {
    const { exitCode, report } = await conform("--suite", "all", "--expected-failures", expectedFailures);
    expect(listed(report, "Unexpected failures")).toEqual([]);
    expect(listed(report, "Stale baseline entries")).toEqual([]);
    expect(listed(report, "Expected failures")).toHaveLength(11);
    expect(exitCode).toBe(0);
  });

  test("the fixtures are there because they were asked for, with authentication off, and not otherwise", async () => {
    await using refused = run(["serve"], folder, { MCP_CONFORMANCE_FIXTURES: "1", MCP_PORT: "0" });
    expect(await refused.exited).toBe(78);
    expect(refused.output).toContain("MCP_CONFORMANCE_FIXTURES must be 0 while MCP_AUTH is required");
  });
});
