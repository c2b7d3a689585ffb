import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import jsTokens from "js-tokens";
import { checkSync } from "recheck";
import manifest from "../package.json";
import { command } from "./cli/io.ts";

const root = resolve(import.meta.dir, "..");
const text = (path: string): string => readFileSync(join(root, path), "utf8");

describe("docs/security.md", () => {
  const page = text("docs/security.md");
  /** “words” stand behind the file that they are in, one file or several in a row of a table. */
  const named = page.split("\n").flatMap((line) => {
    let path = "";
    return [...line.matchAll(/`(test\/[\w./-]+\.test\.ts)`|“([^”]+)”/g)].flatMap(([, file, words = ""]) => {
      path = file ?? path;
      return file === undefined ? [{ path, words }] : [];
    });
  });

  test("names tests that exist, by their files and words", () => {
    expect(named.length).toBeGreaterThan(60);
    const missing = named.filter(
      ({ path, words }) => path === "" || !existsSync(join(root, path)) || !hasTest(text(path), words),
    );
    expect(missing).toEqual([]);
  });

  test("shows what stops them in every row", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("| ") && !/^\| (wants|---)/.test(line));
    expect(rows.filter((row) => !/`test\/[\w./-]+`: “[^”]+”/.test(row))).toEqual([]);
  });
});

/** The words of a `test(…)`, `test.each(…)(…)`, or the beginning of those that a template makes. */
function hasTest(source: string, words: string): boolean {
  return ['"', "`"].some((quote) =>
    [`test(${quote}`, `)(${quote}`, `)(\n  ${quote}`, `)(\n    ${quote}`].some((start) =>
      source.includes(start + words),
    ),
  );
}

describe("secrets", () => {
  test("no command takes a secret as an argument", async () => {
    const overview = (await command(["--help"])).out;
    const names = [...overview.matchAll(/^ {2}(\w+) {2,}\S/gm)].map((match) => match[1] ?? "");
    expect(names).toContain("token");
    for (const name of names) {
      const { out } = await command([name, "--help"]);
      const withValue = [...out.matchAll(/--([\w-]+)[ =][A-Z<]/g)].map((match) => match[1] ?? "");
      expect([name, withValue.filter((flag) => /token|secret|key|password/.test(flag))]).toEqual([name, []]);
    }
  });

  test("no secret is compared by a comparison that stops at the first difference", async () => {
    const compared =
      /(\b\w*(?:secret|hash|hmac|mac|signature|digest|presented)\w*)\s*[!=]==?(?!=|\s*(?:null\b|undefined\b|""))/gi;
    const found: string[] = [];
    for (const folder of ["auth", "mcp", "http", "memory"])
      for await (const file of new Bun.Glob(`src/${folder}/**/*.ts`).scan(root))
        for (const line of text(file).split("\n"))
          for (const [part] of line.matchAll(compared))
            found.push(`${file}: ${line.trim()} (${part.trim()})`);
    expect(found).toEqual([]);
  });
});

describe("patterns", () => {
  /** Reads a file of whoever runs the command, and nothing else. */
  const ownFiles = ["src/cli/connect-file.ts"];

  /** Those of a file as they are written: `/a+/g`. */
  const patternsIn = (path: string): string[] =>
    [...jsTokens(new Bun.Transpiler({ loader: "ts" }).transformSync(text(path)))].flatMap(
      ({ type, value }) => (type === "RegularExpressionLiteral" ? [value] : []),
    );

  test("no pattern takes ever longer over what somebody writes", () => {
    const paths = [...new Bun.Glob("src/**/*.ts").scanSync(root)].filter(
      (path) => !path.startsWith("src/simulator/") && !ownFiles.includes(path),
    );
    const patterns = new Set(paths.flatMap(patternsIn));
    expect(patterns.size).toBeGreaterThan(100);
    const slow = [...patterns].filter((pattern) => {
      const end = pattern.lastIndexOf("/");
      // To it the flag v is the same as u.
      const flags = pattern.slice(end + 1).replace("v", "u");
      return checkSync(pattern.slice(1, end), flags, { timeout: 60_000 }).status !== "safe";
    });
    expect(slow).toEqual([]);
  });
});

describe("what it is built from", () => {
  const { dependencies, devDependencies, trustedDependencies } = manifest;

  test("dependencies are pinned, and run nothing when they are installed", () => {
    const versions = Object.values({ ...dependencies, ...devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
    // Without it Bun runs the scripts of those that it trusts itself.
    expect(trustedDependencies).toEqual([]);
    const locked = text("bun.lock")
      .split("\n")
      .filter((line) => /^ {4}"[^"]+": \[/.test(line));
    expect(locked.length).toBeGreaterThan(100);
    expect(locked.filter((line) => !/"sha512-[\w+/]+={0,2}"\],$/.test(line))).toEqual([]);
  });
});
