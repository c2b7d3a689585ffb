import { expect, setDefaultTimeout, test } from "bun:test";
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

setDefaultTimeout(120_000);

const root = resolve(import.meta.dir, "../..");
const linesOf = async (name: string) => (await readFile(join(root, name), "utf8")).split("\n");

/** What the Dockerfile copies from the repository, as [from, to]. */
async function copied(): Promise<readonly (readonly [string, string])[]> {
  return (await linesOf("Dockerfile"))
    .filter((line) => line.startsWith("COPY ") && !line.includes("--from="))
    .flatMap((line) => {
      const words = line.split(" ").slice(1);
      const to = words.at(-1) ?? "";
      return words
        .slice(0, -1)
        .map((from) => [from, to.endsWith("/") ? join(to, basename(from)) : to] as const);
    });
}

test("what the Dockerfile copies is not kept from it, and is all that the executable is built of", async () => {
  const allowed = (await linesOf(".dockerignore")).flatMap((line) =>
    line.startsWith("!") ? [line.slice(1)] : [],
  );
  const files = await copied();
  expect(files.map(([from]) => from).toSorted()).toEqual(allowed.toSorted());

  const context = await mkdtemp(join(tmpdir(), "image-"));
  try {
    for (const [from, to] of files) await cp(join(root, from), join(context, to), { recursive: true });
    await symlink(join(root, "node_modules"), join(context, "node_modules"));
    const build = Bun.spawnSync({ cmd: [process.execPath, ".ci/build.ts"], cwd: context });
    expect(build.stderr.toString()).not.toContain("error");
    expect(build.exitCode).toBe(0);
    const made = Bun.spawnSync({ cmd: [join(context, "dist/discord-mcp"), "version"], cwd: context });
    expect(made.stdout.toString()).toStartWith("discord-mcp ");
  } finally {
    await rm(context, { recursive: true, force: true });
  }
});

test("the container's health check and entry are commands of the executable", async () => {
  const dockerfile = await readFile(join(root, "Dockerfile"), "utf8");
  const entry: string[] = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? "");
  const check: string[] = JSON.parse(/^HEALTHCHECK[^\n]*\\\n {2}CMD (.+)$/m.exec(dockerfile)?.[1] ?? "");
  expect(check).toEqual([...entry, "doctor", "--live"]);
});
