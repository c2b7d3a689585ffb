import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Running, run } from "./binary.ts";

setDefaultTimeout(120_000);

const suite = resolve(import.meta.dir, "../../node_modules/@modelcontextprotocol/conformance/dist/index.js");
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

/** What the suite says of one revision, at its wire version; it ends with 0 when all that is required has passed. */
async function conform(revision: string): Promise<{ readonly exitCode: number; readonly report: string }> {
  const child = Bun.spawn({
    cmd: [
      process.execPath,
      suite,
      "server",
      "--url",
      url,
      "--requirements",
      revision,
      "-o",
      join(folder, revision),
    ],
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode: await child.exited, report: `${out.slice(out.indexOf("=== SUMMARY ==="))}${err}` };
}

describe("the conformance suite, against the executable", () => {
  test.each([
    ["2026-07-28", 37],
    ["2025-11-25", 30],
  ])("every required scenario of %s passes", async (revision, scenarios) => {
    const { exitCode, report } = await conform(revision);
    const [required = "", unscored = ""] = report.split("Not scored for");
    const extensions = unscored.matchAll(/^\s+[✓✗] (\S+)/gm);
    const others = new Set([...extensions].map(([, name]) => name));
    const passed = [...required.matchAll(/^✓ ([\w-]+): /gm)].filter(([, name]) => !others.has(name));
    const failed = [...required.matchAll(/^✗ ([\w-]+): /gm)].filter(([, name]) => !others.has(name));
    expect(failed.map(([line]) => line)).toEqual([]);
    expect(passed.length).toBe(scenarios);
    expect(exitCode).toBe(0);
  });

  test("the fixtures are there because they were asked for, with authentication off, and not otherwise", async () => {
    await using refused = run(["serve"], folder, { MCP_CONFORMANCE_FIXTURES: "1", MCP_PORT: "0" });
    expect(await refused.exited).toBe(78);
    expect(refused.output).toContain("MCP_CONFORMANCE_FIXTURES must be 0 while MCP_AUTH is required");
  });
});
