import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { variables } from "../src/config/variables.ts";
import { command } from "./cli/io.ts";

const root = resolve(import.meta.dir, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const documents = readdirSync(join(root, "docs")).map((name) => `docs/${name}`);
const texts = ["README.md", ...documents].map(
  (file) => [file, readFileSync(join(root, file), "utf8")] as const,
);
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
  });

  test("names no variable that there is not, nor does any document", () => {
    // Of programs that use the service: the stdio bridge, and an example of the protocol.
    const known = new Set([...Object.keys(variables), "DISCORD_MCP_TOKEN", "MCP_URL"]);
    const named = texts.flatMap(([file, text]) =>
      [...text.matchAll(/`((?:DISCORD|ANTHROPIC|MCP|TOOL|TURN|RATE_LIMIT|SECRET|MAX|LOG)S?_[A-Z_]+)`/g)].map(
        (match) => ({ file, name: match[1] ?? "" }),
      ),
    );
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ name }) => !known.has(name))).toEqual([]);
  });
});

describe("the documents", () => {
  test("link to what exists, down to the heading", () => {
    const headings = new Map(texts.map(([file, text]) => [file, new Set(headingsOf(text))]));
    const links = texts.flatMap(([file, text]) =>
      [...text.matchAll(/\]\(((?!https?:)[^)\s]+)\)/g)].map((match) => ({ file, link: match[1] ?? "" })),
    );
    expect(links.length).toBeGreaterThan(50);
    const broken = links.filter(({ file, link }) => {
      const [path = "", heading] = link.split("#");
      const target = path === "" ? file : join(dirname(file), path);
      if (!existsSync(join(root, target))) return true;
      return heading !== undefined && !headings.get(target)?.has(heading);
    });
    expect(broken).toEqual([]);
  });

  test("name files that exist", () => {
    const named = texts.flatMap(([file, text]) =>
      [...text.matchAll(/`((?:src|test|docs|drizzle)\/[\w./-]+)`/g)].map((match) => ({
        file,
        path: match[1] ?? "",
      })),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ path }) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("are all reached from the README", () => {
    expect(documents.length).toBeGreaterThan(5);
    expect(documents.filter((file) => !readme.includes(file))).toEqual([]);
  });
});

/** As GitHub makes an anchor of a heading: without what is no letter, digit, hyphen or underscore, spaces as hyphens. */
function headingsOf(text: string): string[] {
  const lines = text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#{1,6} (.+)$/gm);
  return [...lines].map((match) =>
    (match[1] ?? "")
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}
