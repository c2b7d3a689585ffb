import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readConfig } from "../../src/config.ts";
import { openStored } from "../../src/database.ts";
import { acquireServeLock } from "../../src/memory/serve-lock.ts";
import { command } from "./io.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "backup-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A database with a memory in it, and the environment that names it. */
async function site(more: Record<string, string> = {}) {
  const dir = join(folder, crypto.randomUUID().slice(0, 8), "data");
  const env = { DATABASE_URL: `file:${dir}/test.db`, ...more };
  using stored = await openStored(readConfig(env));
  await stored.memory.memories.add("1", "before", []);
  return { env, path: `${dir}/test.db`, file: join(dirname(dir), "copy.db") };
}

async function remember(env: Record<string, string>, text: string): Promise<void> {
  using stored = await openStored(readConfig(env));
  await stored.memory.memories.add("1", text, []);
}

async function remembered(env: Record<string, string>): Promise<readonly string[]> {
  using stored = await openStored(readConfig(env));
  return (await stored.memory.memories.list("1")).map(({ text }) => text);
}

describe("backup and restore", () => {
  test("say what they did, where the key is and what was kept", async () => {
    const { env, path, file } = await site();
    const made = await command(["backup", file], env);
    expect(made.out).toMatch(/copy\.db: \d+ bytes, schema version \d+, checked\n$/);
    expect(made.err).toContain(join(dirname(path), "secret-key"));
    expect(made.code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await remember(env, "after");
    const restored = await command(["restore", file], env);
    expect(restored).toMatchObject({ code: 0, err: "" });
    expect(restored.out).toMatch(/is kept as .*\/test\.db\.before-restore-\d{8}T\d{6}Z\n/);
    expect(await remembered(env)).toEqual(["before"]);
  });

  test("on a machine that has the key and no database, say what that means", async () => {
    const { env, path, file } = await site();
    await command(["backup", file], env);
    for (const name of readdirSync(dirname(path)))
      if (name.startsWith("test.db")) rmSync(join(dirname(path), name));
    const { code, err } = await command(["restore", file], env);
    expect(code).toBe(0);
    expect(err).toContain("tokens revoked since the backup are valid again");
    expect(await remembered(env)).toEqual(["before"]);
  });

  test("without the key, or with another, change nothing", async () => {
    const { env, path, file } = await site();
    await command(["backup", file], env);
    const before = readFileSync(path);
    const other = { ...env, SECRET_KEY: "another key, of more than thirty-two bytes" };
    for (const [args, with_] of [
      [["restore", file], other],
      [["backup", `${file}.2`], other],
    ] as const) {
      const { code, err } = await command(args, with_);
      expect([code, err.includes("key")]).toEqual([1, true]);
    }
    rmSync(join(dirname(path), "secret-key"));
    for (const args of [
      ["restore", file],
      ["backup", `${file}.2`],
    ])
      expect((await command(args, env)).err).toContain("put ");
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(existsSync(`${file}.2`)).toBe(false);
    expect(existsSync(join(dirname(path), "secret-key"))).toBe(false);
  });

  test("a restoration waits for no service: it is refused while one runs", async () => {
    const { env, path, file } = await site();
    await command(["backup", file], env);
    using _lock = acquireServeLock(path);
    const { code, err } = await command(["restore", file], env);
    expect([code, err.includes("already serves")]).toEqual([1, true]);
    expect((await command(["backup", `${file}.2`], env)).code).toBe(0);
  });

  test("say first what is not there, and not that the key of it is missing", async () => {
    const env = { DATABASE_URL: `file:${folder}/elsewhere/test.db` };
    expect((await command(["backup", "x.db"], env)).err).toContain("There is no database");
    for (const name of ["x.db", ""])
      expect((await command(["restore", name], env)).err).toContain(`There is no file "${name}"`);
    expect((await command(["restore", folder], env)).err).toContain("is a folder");
    expect((await command(["backup", ""], (await site()).env)).err).toContain("name one");
    expect(existsSync(`${folder}/elsewhere`)).toBe(false);
  });

  test.each([["backup"], ["restore"]])("%s takes one file", async (name) => {
    const { env, file } = await site();
    for (const args of [[name], [name, file, file], [name, "--colour", file]])
      expect((await command(args, env)).code).toBe(64);
  });
});

describe("keys", () => {
  test("are shown and changed, and never printed", async () => {
    const { env } = await site();
    const shown = await command(["keys", "show"], env);
    expect(shown.out).toMatch(/^key 1, made \S+: 1 values \(memories 1\)\n$/);
    const rotated = await command(["keys", "rotate"], env);
    expect(rotated).toMatchObject({ code: 0, out: expect.stringContaining("data key 2") });
    expect(rotated.err).toContain("1 values are to be sealed anew");
    const [key, ...more] = JSON.parse((await command(["keys", "show", "--json"], env)).out);
    expect(more).toEqual([]);
    expect(Object.keys(key)).toEqual(["id", "created_at", "values"]);
    expect(key).toMatchObject({ id: 2, values: { memories: 1 } });
    expect(await remembered(env)).toEqual(["before"]);
  });

  test("an unfinished change is shown, and gone on with to the same key", async () => {
    const { env } = await site();
    {
      using stored = await openStored(readConfig(env));
      await stored.memory.keys.rotate(null, 0);
    }
    expect((await command(["keys", "show"], env)).out).toContain("under way");
    const { out, err } = await command(["keys", "rotate"], env);
    expect(err).toContain("Going on");
    expect(out).toContain("data key 2");
  });

  test("the secret key in the file is replaced, and the old one opens nothing", async () => {
    const { env, path } = await site();
    const file = join(dirname(path), "secret-key");
    const old = readFileSync(file, "utf8");
    const { code, out } = await command(["keys", "rotate", "--secret"], env);
    expect([code, out.includes(file)]).toEqual([0, true]);
    expect(out).toContain("Backups that were made before open with the old key alone");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).not.toBe(old);
    expect(await remembered(env)).toEqual(["before"]);
    writeFileSync(file, old);
    const said = expect.stringContaining(`The key in ${file} is not the one`);
    await expect(remembered(env)).rejects.toMatchObject({ problem: "wrong_key", message: said });
  });

  test.each(["before the database is sealed with it", "after that"])(
    "a change of the secret key that was killed %s is finished by the next start",
    async (when) => {
      const { env, path } = await site();
      const [file, next] = ["secret-key", "secret-key.next"].map((name) => join(dirname(path), name));
      const old = readFileSync(file ?? "", "utf8");
      await command(["keys", "rotate", "--secret"], env);
      const made = readFileSync(file ?? "", "utf8");
      writeFileSync(next ?? "", made, { mode: 0o600 });
      writeFileSync(file ?? "", old);
      if (when.startsWith("before")) {
        const fresh = await site();
        await remember(fresh.env, "more");
        const place = dirname(fresh.path);
        writeFileSync(join(place, "secret-key.next"), made, { mode: 0o600 });
        expect((await command(["backup", fresh.file], fresh.env)).code).toBe(0);
        expect(await remembered(fresh.env)).toEqual(["more", "before"]);
        expect(readFileSync(join(place, "secret-key"), "utf8")).toBe(made);
        expect(existsSync(join(place, "secret-key.next"))).toBe(false);
        return;
      }
      expect(await remembered(env)).toEqual(["before"]);
      expect(readFileSync(file ?? "", "utf8")).toBe(made);
      expect(existsSync(next ?? "")).toBe(false);
    },
  );

  test("the secret key of the environment is not ours to change", async () => {
    const { env } = await site({ SECRET_KEY: "a key of the environment, of enough bytes" });
    const { code, err } = await command(["keys", "rotate", "--secret"], env);
    expect([code, err.includes("SECRET_KEY_PREVIOUS")]).toEqual([1, true]);
  });

  test.each([[[]], [["spin"]], [["rotate", "now"]]])("keys %p is a mistake", async (args) => {
    const { env } = await site();
    expect((await command(["keys", ...args], env)).code).toBe(64);
  });

  test("of a database that is not there are not made", async () => {
    const env = { DATABASE_URL: `file:${folder}/none/test.db` };
    for (const args of [["show"], ["rotate"], ["rotate", "--secret"]])
      expect(await command(["keys", ...args], env)).toMatchObject({
        code: 1,
        err: expect.stringContaining("There is no database"),
      });
    expect(existsSync(join(folder, "none"))).toBe(false);
  });
});
