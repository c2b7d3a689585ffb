import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { command } from "./cli/io.ts";

const root = resolve(import.meta.dir, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? "").join("\n");

describe("the README", () => {
  test("opens with the two commands, on the pinned Bun", () => {
    const commands = [...readme.matchAll(/npx -y (\S+) run (\w+)/g)].map((match) => [match[1], match[2]]);
    expect(commands.slice(0, 2)).toEqual([
      [manifest.packageManager, "demo"],
      [manifest.packageManager, "check"],
    ]);
  });

  test("names no script that package.json does not have", () => {
    const named = [...`${readme}`.matchAll(/bun run ([\w:]+)/g)].map((match) => match[1] ?? "");
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !(name in manifest.scripts))).toEqual([]);
  });

  test("names no command that the executable does not have, and every one that it has", async () => {
    const used = [...`${blocks}\n${readme}`.matchAll(/(?:dist\/)?discord-mcp (serve|[a-z]+)\b(?! in| is)/g)]
      .map((match) => match[1] ?? "")
      // `docker compose exec discord-mcp discord-mcp …`: the container, then the executable in it.
      .filter((name) => !["the", "demo:", "discord"].includes(name));
    const overview = (await command(["--help"])).out;
    const known = [...overview.matchAll(/^ {2}(\w+) {2,}\S/gm)].map((match) => match[1] ?? "");
    expect(known).toContain("serve");
    expect([...new Set(used)].filter((name) => !known.includes(name))).toEqual([]);
    expect(known.filter((name) => !readme.includes(`discord-mcp ${name}`))).toEqual([]);
    for (const name of known) expect((await command([name, "--help"])).code).toBe(0);
  });

  test("shows folders and files that exist", () => {
    const tree = /```\nsrc\/\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const inside = [...tree.matchAll(/^ {2}(\S+)/gm)].map((match) => join("src", match[1] ?? ""));
    const outside = [...tree.matchAll(/^(\w+\/)/gm)].map((match) => match[1] ?? "");
    expect(inside.length).toBeGreaterThan(10);
    expect([...inside, ...outside].filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const links = [...readme.matchAll(/\]\(((?!http)[^)#]+)\)/g)].map((match) => match[1] ?? "");
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
