import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Variable } from "../src/config/values.ts";
import { variables } from "../src/config/variables.ts";
import { matrixSection, matrixWorldSection } from "./docs-permissions.ts";
import { withSection } from "./docs-section.ts";
import { toolsSection } from "./docs-tools.ts";

/**
 * Writes what the documentation takes from the code: the table of variables, .env.example, Bun's version in the
 * README's commands, the tools, and the matrix of who may do what with them. With --check it changes nothing and fails
 * when a file is stale.
 */
const root = resolve(import.meta.dir, "..");
const check = process.argv.includes("--check");
const entries = Object.entries<Variable<unknown>>(variables);
const stale: string[] = [];

function write(name: string, make: (old: string) => string): void {
  const path = join(root, name);
  const old = readFileSync(path, { encoding: "utf8", flag: check ? "r" : "a+" });
  const made = make(old);
  if (made === old) return;
  if (check) stale.push(name);
  else writeFileSync(path, made);
}

function configurationTable(): string {
  const rows = entries.map(
    ([name, { shown, about }]) => `| \`${name}\` | ${shown ? `\`${shown}\`` : ""} | ${about} |`,
  );
  return ["| variable | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

function environmentExample(): string {
  const lines = entries.map(([name, { shown, about }]) => `# ${about}\n# ${name}=${shown}\n`);
  return `# Copy to .env and fill in what you need; everything has a default.\n\n${lines.join("\n")}`;
}

const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const pinned =
  manifest !== null && typeof manifest === "object" && "packageManager" in manifest
    ? String(manifest.packageManager)
    : "";

write(".env.example", environmentExample);
write("README.md", (old) => old.replaceAll(/npx -y bun@[\w.-]+/g, `npx -y ${pinned}`));
write("docs/configuration.md", (old) => withSection(old, "configuration", configurationTable()));
write("docs/tools.md", (old) => withSection(old, "tools", toolsSection()));
const matrix = await matrixSection();
write("docs/permissions.md", (old) =>
  withSection(withSection(old, "world", matrixWorldSection()), "matrix", matrix),
);

if (stale.length > 0) {
  process.stderr.write(`stale, run bun run docs: ${stale.join(", ")}\n`);
  process.exit(1);
}
