import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import type { ExportPage } from "../../src/memory/export.ts";
import type { Memory } from "../../src/memory/memory.ts";
import { fillEverything } from "./everything.ts";
import { accept, done, folder, post } from "./helpers.ts";

/** What is read of a database in which one statement has changed something that only a defect could. */
async function damaged<Value>(
  sql: string,
  read: (memory: Memory, soundTurnId: string) => Promise<Value>,
): Promise<Value> {
  using at = folder();
  let turnId = "";
  {
    using memory = at.open();
    await fillEverything(memory);
    ({ id: turnId } = await accept(memory, { userId: "999", channelId: "900", text: "sound" }));
    await memory.outbox.planNotice("2", "900", [post("n3", { content: "sound", purpose: "notice" })]);
  }
  {
    using db = new Database(at.path);
    expect(db.query(sql).run().changes).toBeGreaterThan(0);
  }
  using memory = at.open();
  return await read(memory, turnId);
}

const cut = (table: string, column: string, where: string) =>
  `update ${table} set ${column} = substr(${column}, 1, 20) where ${where}`;

test("a post that is damaged says so, and the others go out", async () => {
  const posts = await damaged(cut("posts", "content", "nonce = 'n2'"), (memory) => memory.outbox.open(10));
  expect(posts.find(({ nonce }) => nonce === "n2")?.content).toContain("damaged");
  expect(posts.find(({ nonce }) => nonce === "n3")?.content).toBe("sound");
});

test("whom a damaged post mentions is nobody", async () => {
  const sql = "update posts set allowed_mention_user_ids = 'none' where nonce = 'n2'";
  const posts = await damaged(sql, (memory) => memory.outbox.open(10));
  expect(posts.find(({ nonce }) => nonce === "n2")?.allowedMentionUserIds).toEqual([]);
  expect(posts.map(({ nonce }) => nonce)).toContain("n3");
});

test("a message that is damaged is taken up as such, with the other turns", async () => {
  const turns = await damaged(cut("turns", "text", "state = 'queued' and user_id = '100'"), (memory) =>
    memory.turns.unfinished(),
  );
  expect(turns.find(({ actor }) => actor.userId === "100" && actor.channelId === "201")).toBeDefined();
  expect(turns.map(({ text }) => text)).toContain("sound");
  expect(turns.some(({ text }) => text.includes("damaged"))).toBe(true);
});

test("a turn in a state that is not known is not waited for", async () => {
  const sql = "update turns set state = 'lost' where user_id = '999'";
  await expect(damaged(sql, (memory, turnId) => memory.turns.get(turnId))).rejects.toThrow("not known");
});

test("a turn whose conversation is lost ends all the same", async () => {
  const sql = "update turns set conversation_id = 'lost' where user_id = '999'";
  const ended = await damaged(sql, async (memory, turnId) => {
    await memory.turns.begin(turnId);
    await memory.turns.end(turnId, done({ answer: "mine" }));
    return await memory.turns.get(turnId);
  });
  expect(ended).toMatchObject({ state: "done", answer: "mine" });
});

test("an answer that is damaged and was not posted yet says so", async () => {
  const sql = "update turns set delivery = 'pending', answer = x'00' where answer is not null";
  const due = await damaged(sql, (memory) => memory.outbox.undelivered(10));
  expect(due.map(({ answer }) => answer)).toEqual([expect.stringContaining("damaged")]);
});

test("a question that is damaged does not hold up the others", async () => {
  const unasked = (memory: Memory) => memory.outbox.unasked(10);
  expect(await damaged("update approvals set fingerprint = 'g'", unasked)).toHaveLength(1);
  expect(await damaged(cut("approvals", "question", "1"), unasked)).toEqual([]);
});

test("a token whose grants are damaged is listed, and good for nothing", async () => {
  for (const [column, found] of [
    ["scopes", { scopes: [], guildIds: null }],
    ["guild_ids", { scopes: ["tools"], guildIds: [] }],
  ] as const) {
    const sql = `update api_tokens set ${column} = '{"a":[1]}'`;
    expect(await damaged(sql, (memory) => memory.tokens.list())).toMatchObject([
      { name: "editor", ...found },
    ]);
  }
});

test("a session whose tools are damaged has none, and ends like any other", async () => {
  const sql = "update sessions set active_tools = '[', expires_at = 2";
  const [kept, ended] = await damaged(sql, async ({ sessions }) => [
    await sessions.get("session"),
    await sessions.removeExpired(2),
  ]);
  expect(kept?.activeTools).toEqual(["(damaged)"]);
  expect(ended?.map(({ id }) => id)).toContain("session");
});

test("what somebody is given of theirs is no less for the damaged post of somebody else", async () => {
  const sql = "update posts set allowed_mention_user_ids = 'none' where nonce = 'n2'";
  const types = await damaged(sql, async ({ exporter }) => {
    const found: unknown[] = [];
    for (let cursor: string | null = null; ; ) {
      const { records, next }: ExportPage = exporter.page("999", cursor);
      found.push(...records.map(({ type }) => type));
      if (next === null) return found;
      cursor = next;
    }
  });
  expect(types).toContain("turn");
});
