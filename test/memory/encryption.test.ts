import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { createEncryption } from "../../src/memory/encryption.ts";
import { accept, done, folder, usage } from "./helpers.ts";

const key = (id: number) => ({ id, bytes: randomBytes(32) });
const place = { table: "messages", column: "content", row: "1.2" };

describe("a sealed value", () => {
  test("opens to what it was, whatever it was", () => {
    const encryption = createEncryption([key(1)]);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const wellFormed = text.toWellFormed();
        expect(encryption.open(place, encryption.seal(place, wellFormed))).toBe(wellFormed);
      }),
    );
  });

  test("does not open once any of its bits has changed, or with another key", () => {
    const encryption = createEncryption([key(1)]);
    const sealed = encryption.seal(place, "attack at dawn");
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const changed = Uint8Array.from(sealed);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => encryption.open(place, changed)).toThrow();
      }),
    );
    expect(() => createEncryption([key(1)]).open(place, sealed)).toThrow();
  });

  test("does not open in another row, column or table", () => {
    const encryption = createEncryption([key(1)]);
    const sealed = encryption.seal(place, "attack at dawn");
    for (const other of [{ row: "1.3" }, { column: "result" }, { table: "turns" }])
      expect(() => encryption.open({ ...place, ...other }, sealed)).toThrow();
  });

  test("of an older key still opens, and hashes do not change with a new one", () => {
    const [first, second] = [key(1), key(2)];
    const old = createEncryption([first]);
    const both = createEncryption([first, second]);
    expect(both.open(place, old.seal(place, "x"))).toBe("x");
    expect(() => old.open(place, both.seal(place, "x"))).toThrow("data key 2");
    expect(both.hash("p", ["a", "b"])).toEqual(old.hash("p", ["a", "b"]));
    expect(both.hash("p", ["ab"])).not.toEqual(both.hash("p", ["a", "b"]));
  });

  test("never looks the same twice", () => {
    const encryption = createEncryption([key(1)]);
    expect(encryption.seal(place, "x")).not.toEqual(encryption.seal(place, "x"));
  });
});

test("no content is readable in the files, neither in the database nor in its WAL", async () => {
  using at = folder();
  using memory = at.open();
  const planted = (what: string) => `PLANTED-${what}-SECRET`;
  const turn = await accept(memory, {
    text: planted("text"),
    preamble: planted("preamble"),
    idempotencyKey: planted("key"),
    discordMessageId: "77777777",
    replyTo: { channelId: "200", messageId: "77777777" },
  });
  await memory.turns.begin(turn.id);
  const content = [
    { type: "text" as const, text: planted("assistant") },
    { type: "tool_use" as const, id: "call", name: "tool", input: { q: planted("arguments") } },
  ];
  await memory.turns.saveStep(turn.id, {
    step: 1,
    content,
    stopReason: "tool_use",
    usage,
    model: "m",
    sources: [],
  });
  const result = { type: "tool_result" as const, tool_use_id: "call", content: planted("result") };
  await memory.turns.toolEnded(turn.id, 1, "call", { state: "done", result, sources: [] });
  await memory.turns.end(turn.id, done({ answer: planted("answer"), closingText: planted("closing") }));
  const queued = await accept(memory, { text: planted("before-edit"), discordMessageId: "8" });
  await memory.turns.editQueued("8", planted("after-edit"));
  expect((await memory.turns.get(queued.id))?.text).toBe(planted("after-edit"));
  const summary = { text: planted("summary"), uptoTurnId: turn.id, sources: [] };
  await memory.history.saveSummary(turn.conversationId, 0, summary);
  await memory.preferences.set("100", { instructions: planted("preferences") });
  await memory.outbox.planAnswer(turn.id, [
    {
      nonce: "nonce",
      purpose: "answer",
      subject: turn.id,
      ordinal: 0,
      channelId: "200",
      replyToMessageId: null,
      content: planted("post"),
      allowedMentionUserIds: [],
      state: "pending",
      sendingAt: null,
      messageId: null,
    },
  ]);
  const shard = { shardId: 0, shardCount: 1, sequence: 1 };
  await memory.gatewaySessions.set({ ...shard, sessionId: planted("gateway"), resumeUrl: planted("url") });

  const folderOfFile = dirname(at.path);
  const files = readdirSync(folderOfFile).map((name) => readFileSync(join(folderOfFile, name)));
  const all = Buffer.concat(files);
  expect(all.includes("77777777")).toBe(true); // what is not sealed is found, so the search works
  expect(all.includes("PLANTED")).toBe(false);
  expect(all.includes(Buffer.from("PLANTED", "utf16le"))).toBe(false);
});

test("a row that was moved in the file is not read as another's", async () => {
  using at = folder();
  let ids: string[];
  {
    using memory = at.open();
    ids = [
      (await accept(memory, { text: "Anna's" })).id,
      (await accept(memory, { userId: "2", text: "Bob's" })).id,
    ];
  }
  {
    using sqlite = new Database(at.path);
    const [a = "", b = ""] = ids;
    sqlite.query("UPDATE turns SET text = (SELECT text FROM turns WHERE id = ?) WHERE id = ?").run(a, b);
  }
  using memory = at.open();
  expect((await memory.turns.get(ids[0] ?? ""))?.text).toBe("Anna's");
  expect(memory.turns.get(ids[1] ?? "")).rejects.toThrow();
});
