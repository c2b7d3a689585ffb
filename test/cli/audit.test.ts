import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config.ts";
import { serveControl } from "../../src/control/control.ts";
import { openStored } from "../../src/database.ts";
import { createAuditOperations, pageRows } from "../../src/operations/audit.ts";
import type { AuditRow } from "../../src/tools/ports.ts";
import { command } from "./io.ts";

const ana = "100000000000000001";
const ben = "100000000000000002";
const harbour = "200000000000000001";
const day = 86_400_000;
const start = Date.UTC(2026, 10, 20, 12, 30, 15);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "audit-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const row = (more: Partial<AuditRow> = {}): AuditRow => ({
  at: start,
  actorKind: "user",
  actorUserId: ana,
  guildId: harbour,
  channelId: "300000000000000001",
  sessionId: "s_1",
  turnId: null,
  tokenId: null,
  toolName: "discord_server_stats",
  targets: "",
  verdict: "done",
  reason: null,
  durationMs: 12,
  approvalId: null,
  approvedBy: null,
  ...more,
});

/** A database with these rows, and the environment that names it. */
async function logOf(...rows: readonly AuditRow[]) {
  const env = { DATABASE_URL: `file:${folder}/${crypto.randomUUID().slice(0, 8)}/test.db` };
  using stored = await openStored(readConfig(env));
  for (const each of rows) stored.memory.audit.collect(each);
  return env;
}

interface Line {
  readonly id: number;
  readonly at: string;
  readonly actor_user_id: string;
  readonly [field: string]: unknown;
}

async function lines(env: Record<string, string>, ...args: readonly string[]): Promise<readonly Line[]> {
  const { code, out, err } = await command(["audit", "--json", ...args], env);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

describe("audit", () => {
  const ban = row({
    at: start + day,
    actorUserId: ben,
    toolName: "discord_member_ban",
    targets: `guild:${harbour} member:${harbour}:${ana}`,
    verdict: "refused",
    reason: "permission_denied",
  });
  const approved = row({
    at: start + 2 * day,
    guildId: null,
    verdict: "asked",
    approvalId: `a_${"x".repeat(22)}`,
    approvedBy: ben,
  });

  test("gives JSON lines of every column, oldest first", async () => {
    const env = await logOf(row(), ban);
    const [first, second, ...more] = await lines(env);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ id: 1, at: "2026-11-20T12:30:15.000Z", verdict: "done" });
    expect(second).toEqual({
      id: 2,
      at: "2026-11-21T12:30:15.000Z",
      actor_kind: "user",
      actor_user_id: ben,
      guild_id: harbour,
      channel_id: "300000000000000001",
      session_id: "s_1",
      turn_id: null,
      token_id: null,
      tool_name: "discord_member_ban",
      targets: ban.targets,
      verdict: "refused",
      reason: "permission_denied",
      duration_ms: 12,
      approval_id: null,
      approved_by: null,
    });
  });

  test("filters by each flag, and by all of them", async () => {
    const env = await logOf(row(), ban, approved);
    const ids = async (...args: readonly string[]) => (await lines(env, ...args)).map(({ id }) => id);
    expect(await ids("--user", ana)).toEqual([1, 3]);
    expect(await ids("--guild", harbour)).toEqual([1, 2]);
    expect(await ids("--tool", "discord_member_ban")).toEqual([2]);
    expect(await ids("--verdict", "asked")).toEqual([3]);
    expect(await ids("--since", "2026-11-21")).toEqual([2, 3]);
    expect(await ids("--since", "2026-11-21T12:30:16")).toEqual([3]);
    expect(await ids("--since", "2026-11-21T13:30:15+01:00")).toEqual([2, 3]);
    expect(await ids("--until", "2026-11-21 12:30")).toEqual([1]);
    expect(await ids("--since", "2026-11-21", "--user", ana)).toEqual([3]);
    expect(await ids("--limit", "2")).toEqual([2, 3]);
    expect(await ids("--tool", "no_such_tool")).toEqual([]);
    const recent = await logOf(row({ at: Date.now() - 2 * 3_600_000 }), row({ at: Date.now() }));
    expect((await lines(recent, "--since", "90m")).map(({ id }) => id)).toEqual([2]);
    expect((await lines(recent, "--since", "1d")).map(({ id }) => id)).toEqual([1, 2]);
  });

  test("reads on over pages, while it serves and while it does not", async () => {
    const count = pageRows * 2 + 3;
    const env = await logOf(...Array.from({ length: count }, (_, at) => row({ at: start + at })));
    const all = Array.from({ length: count }, (_, at) => at + 1);
    expect((await lines(env, "--limit", "5000")).map(({ id }) => id)).toEqual(all);
    using stored = await openStored(readConfig(env));
    let asked = 0;
    const { audit_list } = createAuditOperations(stored.memory.audit);
    using _control = serveControl(readConfig(env).dataDir, {
      status: async () => ({}),
      audit_list(data) {
        asked += 1;
        return audit_list(data);
      },
    });
    expect((await lines(env, "--limit", "5000")).map(({ id }) => id)).toEqual(all);
    expect(asked).toBe(3);
    expect((await lines(env, "--limit", `${pageRows + 1}`)).at(0)?.id).toBe(count - pageRows);
  });

  test("draws a table: newest last, ids whole, and no line wider than a terminal", async () => {
    const many = Array.from(
      { length: 12 },
      (_, at) => `member:${harbour}:${100000000000000100n + BigInt(at)}`,
    );
    const env = await logOf(approved, { ...ban, at: start + 3 * day, targets: many.join(" ") });
    const { out } = await command(["audit"], env);
    const drawn = out.trimEnd().split("\n");
    expect(drawn[0]).toMatch(/^TIME \(UTC\) +USER +TOOL +VERDICT +TOOK$/);
    expect(drawn[1]).toStartWith("2026-11-22 12:30:15");
    expect(drawn[2]).toContain(`approval:a_${"x".repeat(22)} approved-by:${ben}`);
    expect(drawn[3]).toContain(`${ben}  discord_member_ban    refused permission_denied  12 ms`);
    for (const target of many) expect(out.split(/\s+/)).toContain(target);
    for (const line of drawn) expect(line.length).toBeLessThanOrEqual(120);
    expect((await command(["audit", "--user", "1"], env)).out).toBe("No calls that fit.\n");
  });

  test("shows no control characters of a tool's name that somebody made up", async () => {
    const { out } = await command(["audit"], await logOf(row({ toolName: "\u001b[2Jx\u202ey" })));
    expect(out).toContain("?[2Jx?y");
  });

  test.each([
    [["--limit", "0"], "--limit takes a whole number from 1 to 10000"],
    [["--limit", "10001"], "--limit takes a whole number from 1 to 10000"],
    [["--user", "ana"], "--user takes a Discord id"],
    [["--guild", "x"], "--guild takes a Discord id"],
    [["--verdict", "fine"], "only done, failed, refused, unknown, asked"],
    [["--since", "yesterday"], "--since takes a time such as"],
    [["--until", "2026-13-45"], "--until takes a time such as"],
    [["--since", "2026-11-22", "--until", "2026-11-22"], "nothing lies between them"],
    [["--colour"], "--colour"],
  ])("%p is refused, and says what is right", async (args, sentence) => {
    const { code, err } = await command(["audit", ...args], { DATABASE_URL: `file:${folder}/none/test.db` });
    expect(code).toBe(64);
    expect(err).toContain(sentence);
  });

  test("the operation takes only what it knows", async () => {
    const operations = createAuditOperations({ list: async () => [] });
    expect(await operations.audit_list({ limit: 1 })).toEqual([]);
    for (const data of [{}, { limit: pageRows + 1 }, { limit: 1, verdict: "fine" }, { limit: 1, more: 1 }])
      await expect(operations.audit_list(data)).rejects.toMatchObject({ code: "invalid_data" });
  });
});
