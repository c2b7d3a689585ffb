import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forMoreRequests } from "../../src/cli/many-requests.ts";
import { binary, run } from "../e2e/binary.ts";

const folder = mkdtempSync(join(tmpdir(), "requests-"));
beforeAll(() => void binary());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a service with more turns than Bun's client has requests asks for more, once; other commands do not", () => {
  const many = { TURNS_CONCURRENT: "1000", OTHER: "kept" };
  const more = { ...many, BUN_CONFIG_MAX_HTTP_REQUESTS: "1064" };
  expect(forMoreRequests([], many)).toEqual(more);
  expect(forMoreRequests(["serve"], many)).toEqual(more);
  expect(forMoreRequests(["serve"], more)).toBeNull();
  expect(forMoreRequests(["token", "list"], many)).toBeNull();
  expect(forMoreRequests(["serve"], {})).toBeNull();
  expect(forMoreRequests(["serve"], { TURNS_CONCURRENT: "192" })).toBeNull();
  expect(forMoreRequests(["serve"], { TURNS_CONCURRENT: "193" })).not.toBeNull();
  expect(forMoreRequests(["serve"], { TURNS_CONCURRENT: "a lot" })).toBeNull();
});

test("the executable goes on as the same process, and still ends in order", async () => {
  await using service = run([], folder, { MCP_PORT: "0", TURNS_CONCURRENT: "1000" });
  await service.waitFor(/listening on http/);
  const environment = readFileSync(`/proc/${service.pid}/environ`, "utf8").split("\0");
  expect(environment).toContain("BUN_CONFIG_MAX_HTTP_REQUESTS=1064");
  service.kill("SIGTERM");
  expect(await service.exited).toBe(0);
});
