import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import type { Audience } from "../../src/agent/ports.ts";
import { createAppPersonal } from "../../src/app/personal.ts";
import { folder } from "../memory/helpers.ts";
import { ana, direct, guild, mark, plantAna } from "../memory/person.ts";

async function exportOf(closed: readonly string[], maxBytes = 1_000_000) {
  using at = folder();
  using memory = at.open();
  await plantAna(memory);
  using sqlite = new Database(at.path);
  // What the turn that waits for a yes has read.
  sqlite.run(`UPDATE messages SET sources = '["channel:${direct}"]'
    WHERE turn_seq IN (SELECT seq FROM turns WHERE state = 'suspended')`);
  const audiences: Audience[] = [];
  const personal = createAppPersonal({
    erasures: memory.erasures,
    erasing: { runDue: async () => undefined },
    exporter: memory.exporter,
    flow: {
      async restricted(audience, sources) {
        audiences.push(audience);
        if (closed.includes("unreachable")) throw new Error("Discord is down");
        return sources.filter((source) => closed.includes(source));
      },
    },
    onFailure: () => undefined,
    now: () => 0,
  });
  const json = await personal.export(ana, maxBytes);
  const records: readonly Record<string, unknown>[] = json === null ? [] : JSON.parse(json).records;
  return { json, audiences, of: (type: string) => records.filter((one) => one.type === type) };
}

describe("what a person is sent of what is kept", () => {
  test("is all of it where they may still read what it rests on", async () => {
    const { audiences, of } = await exportOf([]);
    expect(of("turn")[0]).toMatchObject({ answer: `${mark} in the channel ${ana}` });
    expect(of("memory")).toMatchObject([{ text: `${mark} memory ${ana}` }]);
    expect(audiences).toContainEqual({ kind: "user", guildId: guild, userId: ana });
    expect(audiences).toContainEqual({ kind: "user", guildId: null, userId: ana });
  });

  test.each([[[`channel:${direct}`]], [["unreachable"]]])(
    "is their own words alone where they may not, or nobody can say: %j",
    async (closed) => {
      const { of } = await exportOf(closed);
      expect(of("turn")[0]).toMatchObject({
        ...{ text: `${mark} asked ${ana}`, answer: null, messages: null, tool_calls: null },
        withheld: expect.any(String),
      });
      expect(of("memory")).toMatchObject([{ text: null, withheld: expect.any(String) }]);
      expect(of("conversation")[0]).toMatchObject({ summary: null });
      const asked = of("approval").filter(({ turn_id }) => turn_id !== null);
      expect(asked).toMatchObject([{ input: null, question: null, public_text: null }]);
      expect(of("preferences")).toMatchObject([{ value: { instructions: `${mark} preferences ${ana}` } }]);
    },
  );

  test("is nothing when it is too large", async () => {
    expect((await exportOf([], 500)).json).toBeNull();
  });
});
