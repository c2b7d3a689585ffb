import { describe, expect, test } from "bun:test";
import { chmod, lstat, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecretFile, writeSecretFile } from "../../src/auth/secret-files.ts";
import { loadOrCreateSecretKey, secretKeyPath } from "../../src/auth/secret-key.ts";
import { secretKeyFault } from "../../src/config/secret-key-rule.ts";
import { configureLogging } from "../../src/log.ts";
import { folder, refusal } from "./harness.ts";

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("the secret key", () => {
  test.each([
    "",
    "short",
    "x".repeat(31),
    "your-secret-key-change-this",
    "your-secret-key-change-this-in-production",
    "  your-secret-key-change-this-in-production  ",
  ])("%p is refused without being repeated", (key) => {
    const fault = secretKeyFault(key);
    expect(fault).toContain("openssl rand");
    if (key !== "") expect(fault).not.toContain(key);
  });

  test("32 bytes are enough, bytes and not characters", () => {
    expect(secretKeyFault("x".repeat(32))).toBeNull();
    expect(secretKeyFault("ž".repeat(16))).toBeNull();
  });

  test("is made on the first start, for its owner alone, and found by the next", async () => {
    await using place = await folder();
    const dataDir = join(place.path, "data");
    const first = await loadOrCreateSecretKey(dataDir);
    expect(first.created).toBe(true);
    expect(await modeOf(secretKeyPath(dataDir))).toBe(0o600);
    expect(await modeOf(dataDir)).toBe(0o700);
    expect(Buffer.byteLength(first.key)).toBeGreaterThanOrEqual(32);
    expect(await loadOrCreateSecretKey(dataDir)).toEqual({ ...first, created: false });
    expect(await readdir(dataDir)).toEqual(["secret-key"]);
  });

  test("two places have two keys, and two starts at once have one", async () => {
    await using place = await folder();
    const keys = await Promise.all(
      Array.from({ length: 8 }, () => loadOrCreateSecretKey(join(place.path, "one"))),
    );
    expect(new Set(keys.map(({ key }) => key)).size).toBe(1);
    expect(keys.filter(({ created }) => created)).toHaveLength(1);
    const other = await loadOrCreateSecretKey(join(place.path, "two"));
    expect(other.key).not.toBe(keys[0]?.key ?? "");
  });

  test("a file that holds no key is refused, named, and left alone", async () => {
    await using place = await folder();
    const path = secretKeyPath(place.path);
    await writeFile(path, "\n");
    const { code, message } = await refusal(() => loadOrCreateSecretKey(place.path));
    expect(code).toBe("invalid_data");
    expect(message).toContain(path);
    // Another key would open nothing that is stored.
    expect(message).toContain("put the right file back");
    expect(await readFile(path, "utf8")).toBe("\n");
  });

  test("a file that others may read still counts", async () => {
    await using place = await folder();
    const { key } = await loadOrCreateSecretKey(place.path);
    await chmod(secretKeyPath(place.path), 0o644);
    expect((await loadOrCreateSecretKey(place.path)).key).toBe(key);
  });
});

test.each([
  ["a key that others may read", "secret-key", 0o644, "can be read by others"],
  ["a folder that others may write to", ".", 0o777, "others may put files into the data folder"],
])("the log says how to close %s", async (_what, name, mode, words) => {
  await using place = await folder();
  await loadOrCreateSecretKey(place.path);
  const written: string[] = [];
  await using _logging = await configureLogging({
    ...{ level: "info", format: "text" },
    sink: (line) => written.push(line),
  });
  await loadOrCreateSecretKey(place.path);
  expect(written).toEqual([]);
  await chmod(join(place.path, name), mode);
  await loadOrCreateSecretKey(place.path);
  expect(written).toEqual([expect.stringContaining(words)]);
});

describe("secret files", () => {
  test("making one never replaces, writing one does, and neither leaves anything else", async () => {
    await using place = await folder();
    const path = join(place.path, "operator-token");
    expect(await createSecretFile(path, "one")).toBe(true);
    expect(await createSecretFile(path, "two")).toBe(false);
    expect(await readFile(path, "utf8")).toBe("one");
    await chmod(path, 0o644);
    await writeSecretFile(path, "three");
    expect(await readFile(path, "utf8")).toBe("three");
    expect(await modeOf(path)).toBe(0o600);
    expect(await readdir(place.path)).toEqual(["operator-token"]);
  });

  test("are written in place of a link that somebody has laid, never through it", async () => {
    await using place = await folder();
    const victim = join(place.path, "victim");
    const path = join(place.path, "operator-token");
    for (const isThere of [false, true]) {
      if (isThere) await writeFile(victim, "theirs");
      await symlink(victim, path);
      expect(await createSecretFile(path, "secret")).toBe(false);
      await writeSecretFile(path, "secret");
      expect((await lstat(path)).isSymbolicLink()).toBe(false);
      expect([await readFile(path, "utf8"), await modeOf(path)]).toEqual(["secret", 0o600]);
      await rm(path);
    }
    expect(await readFile(victim, "utf8")).toBe("theirs");
  });

  test("are for their owner alone whatever the umask is", async () => {
    await using place = await folder();
    const before = process.umask(0);
    try {
      await createSecretFile(join(place.path, "data", "secret-key"), "one");
      await writeSecretFile(join(place.path, "data", "operator-token"), "two");
    } finally {
      process.umask(before);
    }
    expect(await modeOf(join(place.path, "data"))).toBe(0o700);
    for (const name of ["secret-key", "operator-token"])
      expect(await modeOf(join(place.path, "data", name))).toBe(0o600);
  });
});
