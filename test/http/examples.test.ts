import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const docs = await Bun.file(join(import.meta.dir, "../../docs/protocol.md")).text();
const block = (language: string) =>
  docs.match(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``))?.[1] ?? "";

/** Runs an example of the documentation as it stands there. */
async function run(command: readonly string[], code: string): Promise<string> {
  const child = Bun.spawn([...command, code], {
    env: { ...process.env, MCP_URL: world.url, TOKEN: world.operator },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, problems] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(problems).toBe("");
  expect(await child.exited).toBe(0);
  return out;
}

test.skipIf(Bun.which("curl") === null)("curl", async () => {
  const out = await run(["sh", "-c"], block("sh"));
  expect(out).toContain('"session_id":"curl_1"');
  expect(out).toContain('"response":"You said: Hello!"');
  expect(out).toContain("event: response");
});

test("TypeScript", async () => {
  const out = await run([process.execPath, "-e"], block("ts"));
  expect(out).toContain("tools: echo, wait, fail");
  expect(out).toContain("tokens: You said: Hello!");
});

test.skipIf(Bun.which("python3") === null)("Python", async () => {
  const out = await run(["python3", "-c"], block("python"));
  expect(out).toContain("tools: echo, wait, fail");
  expect(out).toContain("You said: Hello!");
});
