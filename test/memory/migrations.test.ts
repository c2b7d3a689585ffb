import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { renameSync } from "node:fs";
import { applicationId, migrations } from "../../src/memory/migrations.ts";
import { accept, approval, converse, done, folder, secretKey, usage } from "./helpers.ts";

/** The same rows in a file as it was before the third migration. */
function asVersionTwo(path: string): void {
  const old = `${path}.old`;
  using sqlite = new Database(old, { create: true });
  for (const { sql } of migrations.slice(0, 2)) sqlite.run(sql);
  sqlite.run("ATTACH ? AS present", [path]);
  const tables = sqlite
    .query<{ name: string }, []>("SELECT name FROM main.sqlite_schema WHERE type = 'table'")
    .all();
  for (const { name } of tables.filter(({ name }) => !name.startsWith("sqlite_"))) {
    const columns = sqlite
      .query<{ name: string }, [string]>("SELECT name FROM pragma_table_info(?, 'main')")
      .all(name)
      .map((column) => column.name)
      .join(", ");
    sqlite.run(`INSERT INTO main.${name} (${columns}) SELECT ${columns} FROM present.${name}`);
  }
  sqlite.run("DETACH present");
  sqlite.run(`PRAGMA application_id = ${applicationId}`);
  sqlite.run("PRAGMA user_version = 2");
  sqlite.close();
  renameSync(old, path);
}

test("what a program was told before sources were kept with it counts as told to its person alone", async () => {
  using at = folder();
  let conversationId: string;
  {
    using memory = at.open();
    await converse(memory, "before anything was read");
    const reading = await accept(memory);
    ({ conversationId } = reading);
    await memory.turns.begin(reading.id);
    const call = { type: "tool_use", id: "a", name: "read", input: {} } as const;
    const step = { step: 1, content: [call], stopReason: "tool_use", usage, model: "m", sources: [] };
    await memory.turns.saveStep(reading.id, step);
    const result = { type: "tool_result", tool_use_id: "a", content: "the secret" } as const;
    await memory.turns.toolEnded(reading.id, 1, "a", { state: "done", result, sources: ["channel:9"] });
    await memory.turns.end(reading.id, done());
    await converse(memory, "retold: the secret");
    await converse(memory, "posted", {
      origin: "discord",
      discordMessageId: "1",
      replyTo: { channelId: "200", messageId: "1" },
    });
  }
  asVersionTwo(at.path);
  using memory = at.open();
  const { turns } = await memory.history.load(conversationId, 0);
  expect(turns.map(({ sources }) => [...sources].sort())).toEqual([
    [],
    ["channel:9", "self:100"],
    ["self:100"],
    [],
  ]);
});

test("a database of the second version goes on with all that it holds", async () => {
  using at = folder();
  const replyTo = { channelId: "200", messageId: "1" };
  const inDiscord = { origin: "discord", discordMessageId: "1", replyTo } as const;
  let conversationId: string;
  let waiting: string;
  {
    using memory = at.open();
    ({ conversationId } = await converse(memory, "posted", inDiscord));
    await converse(memory, "for a program");
    waiting = (await accept(memory, { text: "next", idempotencyKey: "k" })).id;
    await memory.preferences.set("100", { language: "de" });
    const session = { sessionId: "s", userId: "100", channelId: "200", guildId: "300", tokenId: null };
    await memory.sessions.open(session, 1, Number.MAX_SAFE_INTEGER);
  }
  asVersionTwo(at.path);

  using memory = at.open({ secretKey });
  const { turns } = await memory.history.load(conversationId, 0);
  expect(turns.map(({ answerTo, messages }) => [answerTo, messages.at(-1)?.content])).toEqual([
    ["channel", [{ type: "text", text: "posted" }]],
    ["asker", [{ type: "text", text: "for a program" }]],
  ]);
  expect(await memory.preferences.get("100")).toEqual({ language: "de" });
  expect(await memory.sessions.get("s")).toMatchObject({ conversationId });
  expect(await memory.outbox.undelivered(5)).toMatchObject([{ answer: "posted", answerTo: "channel" }]);

  expect((await memory.turns.unfinished()).map(({ id }) => id)).toEqual([waiting]);
  await memory.turns.begin(waiting);
  const place = { turnId: waiting, conversationId };
  const [asked] = await memory.turns.suspend(waiting, [approval(place)]);
  const decided = await memory.approvals.decide(asked?.id ?? "", { approved: true, by: "100" }, 1);
  expect(decided?.turn).toMatchObject({ id: waiting, state: "running" });
  const { id } = await memory.memories.add("100", "Likes boats.", ["self:100"]);
  expect(await memory.memories.list("100")).toMatchObject([{ id, text: "Likes boats." }]);
});
