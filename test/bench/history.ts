import { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { NewTurn } from "../../src/agent/journal.ts";
import { createEncryption } from "../../src/memory/encryption.ts";
import { type Memory, openMemory } from "../../src/memory/memory.ts";
import { temporaryFolder } from "./folder.ts";
import type { Bench } from "./report.ts";
import { alternate, timed } from "./rounds.ts";

const messages = 1000;
const rounds = 15;
const secretKey = "a-secret-key-of-the-benchmarks-32b";
const question = "Could you look at what we said about the release, and tell me who still has to answer?";
const answer = `${question} The plan was to go on Tuesday, once both of the reviews were in. `.repeat(3);

/** What the product asks for, without what Drizzle adds. */
const query = `
  SELECT m.turn_seq, m.ordinal, m.step, m.role, m.content, t.id
  FROM turns t JOIN messages m ON m.turn_seq = t.seq
  WHERE t.conversation_id = ? AND t.epoch = 0 AND t.ended_order > 0
  ORDER BY t.ended_order`;

interface MessageRow {
  readonly turn_seq: number;
  readonly ordinal: number;
  readonly content: Uint8Array;
}

export const history: Bench = {
  name: "history",
  about: `Loading a conversation of ${messages} messages from SQLite (${rounds} rounds). The floor reads the same rows and leaves them sealed.`,
  async run() {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "bench.db");
    using cached = openMemory({ path, secretKey });
    const conversationId = await fill(cached);
    using uncached = openMemory({ path, secretKey, cacheBytes: 0 });
    using raw = new Database(path, { readonly: true });
    const statement = raw.prepare<MessageRow, [string]>(query);
    const rows = statement.all(conversationId);
    if (rows.length !== messages) throw new Error(`there are ${rows.length} rows`);

    // The database's own key is the product's business: values of the same size and place under another one.
    const encryption = createEncryption([{ id: 1, bytes: randomBytes(32) }]);
    const place = { table: "messages", column: "content", row: "1.1" };
    const sealed = [question, answer].map((text) =>
      encryption.seal(place, JSON.stringify([{ type: "text", text }])),
    );
    const openAll = () => {
      const read = statement.all(conversationId);
      return read.map(({ ordinal }) =>
        JSON.parse(encryption.open(place, sealed[ordinal] ?? new Uint8Array())),
      );
    };

    const ms = await alternate(rounds, {
      cold: () => timed(20, () => uncached.history.load(conversationId, 0)),
      rows: () => timed(20, () => statement.all(conversationId)),
      opened: () => timed(20, openAll),
      cached: () => timed(2000, () => cached.history.load(conversationId, 0)),
    });
    const unit = "ms";
    const goal = "";
    return [
      { what: "load, nothing cached", unit, ours: ms.cold, floor: ms.rows, floorIs: "the sealed rows", goal },
      {
        what: "load, nothing cached",
        unit,
        ours: ms.cold,
        floor: ms.opened,
        floorIs: "the rows, each opened and parsed",
        goal,
      },
      { what: "load, cached", unit, ours: ms.cached, floor: ms.rows, floorIs: "the sealed rows", goal },
    ];
  },
};

/** As the agent does it: accepted, begun, a step, an end. */
async function fill({ turns }: Memory): Promise<string> {
  const actor = { kind: "user", userId: "100", guildId: "900", channelId: "500" } as const;
  const usage = {
    inputTokens: 100,
    outputTokens: 50,
    cacheCreationInputTokens: 0,
    cacheReadInputTokens: 0,
  };
  const turn: NewTurn = {
    sessionId: "s1",
    actor,
    origin: "program",
    text: question,
    preamble: "",
    discordMessageId: null,
    idempotencyKey: null,
    replyTo: null,
  };
  for (let n = 0; n < messages / 2; n++) {
    const accepted = await turns.accept(turn, 8);
    if (accepted.status !== "accepted") throw new Error(accepted.status);
    const { id } = accepted.turn;
    await turns.begin(id);
    const content = [{ type: "text", text: answer } as const];
    await turns.saveStep(id, {
      step: 1,
      content,
      stopReason: "end_turn",
      usage,
      model: "bench",
      sources: [],
    });
    await turns.end(id, {
      state: "done",
      answer,
      closingText: null,
      stopReason: "end_turn",
      errorCode: null,
      answerTo: "asker",
    });
  }
  const conversationId = await turns.conversationId(actor.userId, actor.channelId, actor.guildId);
  if (conversationId === null) throw new Error("there is no conversation");
  return conversationId;
}
