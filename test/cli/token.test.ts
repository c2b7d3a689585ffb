import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { command } from "./io.ts";

const ana = "100000000000000001";
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "token-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const environment = () => ({ DATABASE_URL: `file:${folder}/${crypto.randomUUID()}/test.db`, MCP_PORT: "0" });

interface Row {
  readonly id: string;
  readonly name: string;
  readonly user_id: string | null;
  readonly scopes: readonly string[];
  readonly revoked_at: string | null;
}

async function list(env: Record<string, string>): Promise<readonly Row[]> {
  return JSON.parse((await command(["token", "list", "--json"], env)).out);
}

/** A socket that never asks for anything; resolves once it is open. */
async function listening(url: string, token: string): Promise<{ readonly code: Promise<number> }> {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  const closed = Promise.withResolvers<number>();
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("the socket did not open"));
    socket.onclose = ({ code }) => closed.resolve(code);
  });
  return { code: closed.promise };
}

describe("token", () => {
  test("makes, lists and revokes while no service runs", async () => {
    const env = environment();
    const made = await command(["token", "create", "--name", "editor", "--user", ana, "--guild", ana], env);
    expect(made.code).toBe(0);
    expect(made.out).toMatch(/^dmcp_[0-9a-f]{16}_[\w-]{43}\n$/);
    const [row] = await list(env);
    expect(row).toMatchObject({ name: "editor", user_id: ana, scopes: ["sessions", "turns", "tools"] });
    expect((await command(["token", "revoke", row?.id ?? ""], env)).code).toBe(0);
    expect((await list(env))[0]?.revoked_at).not.toBeNull();
    const table = await command(["token", "list"], env);
    expect(table.out).toMatch(/ID +NAME +USER/);
    expect(table.out).toContain("revoked");
    const file = await readFile(env.DATABASE_URL.slice("file:".length));
    // The secret can hold underscores itself.
    expect(file.includes(made.out.trim().slice("dmcp_0123456789abcdef_".length))).toBe(false);
  });

  test("a running service knows a new token at once, and a revoked one no more", async () => {
    const env = environment();
    await using app = await createApp(readConfig(env));
    const { url } = await app.start();
    const { out } = await command(["token", "create", "--name", "script", "--operator"], env);
    const tools = () => fetch(`${url}/mcp/tools`, { headers: { authorization: `Bearer ${out.trim()}` } });
    expect((await tools()).status).toBe(200);
    const { code } = await listening(`${url.replace("http", "ws")}/mcp/ws`, out.trim());
    const row = (await list(env)).find(({ name }) => name === "script");
    expect((await command(["token", "revoke", row?.id ?? ""], env)).code).toBe(0);
    expect((await tools()).status).toBe(401);
    expect(await code).toBe(1008);
  });

  test.each([
    [["token"], "create, list or revoke"],
    [["token", "dance"], "dance"],
    [["token", "create", "--user", ana], "--name"],
    [["token", "create", "--name", "x"], "--operator"],
    [["token", "create", "--name", "x", "--user", ana, "--operator"], "--operator"],
    [["token", "create", "--name", "x", "--operator", "--scope", "all"], "all"],
    [["token", "create", "--name", "x", "--operator", "--expires-days", "soon"], "--expires-days"],
    [["token", "create", "--nmae", "x"], "--nmae"],
    [["token", "revoke"], "revoke ID"],
  ])("%j is a mistake of use that says what is meant", async (args, said) => {
    const { code, err, out } = await command(args, environment());
    expect({ code, out }).toEqual({ code: 64, out: "" });
    expect(err).toContain(said);
    expect(err).toContain("--help");
  });

  test("values that cannot be are refused with a sentence", async () => {
    const env = environment();
    const bad = await command(["token", "create", "--name", "x", "--user", "ana"], env);
    expect(bad).toMatchObject({ code: 1, out: "" });
    expect(bad.err).toContain("15 to 20 digits");
    const unknown = await command(["token", "revoke", "nothing"], env);
    expect(unknown).toMatchObject({ code: 1, out: "" });
    expect(unknown.err).toContain("token list");
  });
});
