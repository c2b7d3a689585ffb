import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/** Folders (and files at the top) of src/, and what each may import of the others; see the README's map. */
const shared = [
  "errors",
  "actor",
  "config",
  "log",
  "metrics",
  "outbound/public-address",
  "outbound/read-at-most",
  "utc-day",
  "limits",
  "listeners",
  "lru",
  "ring",
  "snowflake",
  "version",
  "waiting",
];
const arrows: Record<string, readonly string[]> = {
  main: ["cli"],
  cli: ["*"],
  app: ["*"],
  // What app.ts is made of, parted from it to keep it readable.
  "app/work": ["app/erasing", "app/tools", "app/turns", "discord", "outbound", "sessions"],
  "app/turns": ["agent", "protocol", "tools"],
  "app/erasing": ["app/personal", "erasing"],
  "app/doors": ["app/control-channels", "app/health", "auth", "http", "mcp", "protocol"],
  "app/life": [],
  "app/chores": [],
  "app/maintenance": [],
  "app/notices": [],
  "app/health": [],
  "app/personal": [],
  "app/tools": ["tools"],
  "app/control-channels": ["auth", "mcp"],
  control: [],
  operations: [],
  "operations/tokens": ["auth"],
  erasing: [],
  database: ["auth", "memory"],
  outbound: [],
  http: ["auth", "protocol", "mcp"],
  mcp: ["auth", "sessions", "agent", "tools"],
  protocol: ["auth", "sessions", "agent", "tools"],
  discord: ["sessions", "agent", "tools", "permissions"],
  sessions: ["agent"],
  tools: ["permissions", "agent"],
  auth: ["sessions"],
  agent: [],
  permissions: [],
  memory: [],
  simulator: [],
};
/** Types may be borrowed where code may not: ports that a folder fills, or shapes that it hands on. */
const typeArrows: Record<string, readonly string[]> = {
  memory: ["agent", "sessions", "discord", "auth", "tools"],
  http: ["sessions", "agent", "tools"],
  operations: ["erasing", "memory", "tools"],
  erasing: ["memory"],
  "app/personal": ["agent", "discord", "erasing", "memory"],
  "app/health": ["agent", "discord", "http", "memory"],
  "app/tools": ["agent", "auth", "discord", "memory"],
  "app/control-channels": ["control"],
  "app/work": ["agent", "erasing", "memory", "tools"],
  "app/turns": ["memory", "sessions"],
  "app/erasing": ["agent", "discord", "memory", "sessions"],
  "app/doors": ["app/work", "database", "sessions"],
  "app/life": ["app/doors", "app/maintenance", "app/work", "control"],
  "app/chores": ["app/doors", "app/maintenance", "app/work", "memory"],
};

const root = resolve(import.meta.dir, "../src");

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

async function imports(): Promise<Import[]> {
  const found: Import[] = [];
  for await (const file of new Bun.Glob("**/*.ts").scan(root)) {
    const text = await Bun.file(join(root, file)).text();
    for (const match of text.matchAll(
      /^(?:import|export)\s+(type\s)?[^"';]*?from\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)|^import\s+"(\.[^"]+)"/gm,
    )) {
      const target = match[2] ?? match[3] ?? match[4] ?? "";
      const to = relative(root, resolve(root, dirname(file), target));
      if (to.startsWith("..")) continue;
      found.push({ file, from: house(file), to: house(to), typeOnly: match[1] !== undefined });
    }
  }
  return found;
}

const houses = new Set([...shared, ...Object.keys(arrows)]);

/** The folder of a file, or the file itself where it has arrows of its own: `outbound/public-address`. */
function house(path: string): string {
  const file = path.replace(/\.ts$/, "");
  return houses.has(file) ? file : (file.split("/")[0] ?? "");
}

function allowed({ from, to, typeOnly }: Import): boolean {
  if (from === to) return true;
  if (from === "simulator") return typeOnly;
  if (shared.includes(from)) return shared.includes(to);
  if (shared.includes(to)) return true;
  const may = arrows[from] ?? [];
  if (may.includes("*")) return to !== "main" && !(from === "app" && (to === "cli" || to === "simulator"));
  return may.includes(to) || (typeOnly && (typeArrows[from] ?? []).includes(to));
}

describe("import arrows", () => {
  test("every folder imports only what it may", async () => {
    const all = await imports();
    expect(all.length).toBeGreaterThan(50);
    expect(all.filter((edge) => !allowed(edge)).map((edge) => `${edge.file} → ${edge.to}`)).toEqual([]);
  });

  test("names nothing that is gone", () => {
    const gone = [...houses, ...Object.keys(typeArrows), ...Object.values(arrows).flat()].filter(
      (name) => name !== "*" && !existsSync(join(root, name)) && !existsSync(join(root, `${name}.ts`)),
    );
    expect(gone).toEqual([]);
  });

  test("only src/discord talks to Discord, only src/memory to Drizzle, only src/agent to Claude", async () => {
    const owners: Record<string, string> = {
      "@discordjs/": "discord",
      "drizzle-orm": "memory",
      "bun:sqlite": "memory",
      elysia: "http",
    };
    const strangers: string[] = [];
    for await (const file of new Bun.Glob("**/*.ts").scan(root)) {
      const text = await Bun.file(join(root, file)).text();
      for (const [name, owner] of Object.entries(owners)) {
        if (text.includes(`from "${name}`) && house(file) !== owner) strangers.push(`${file} → ${name}`);
      }
    }
    expect(strangers).toEqual([]);
  });
});
