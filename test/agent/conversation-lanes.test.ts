import { describe, expect, test } from "bun:test";
import { ConversationLanes } from "../../src/agent/conversation-lanes.ts";
import type { TurnRecord } from "../../src/agent/journal.ts";
import { noUsage } from "../../src/agent/usage.ts";
import { door, newTurn } from "./harness.ts";

const record = (id: string): TurnRecord => ({
  ...newTurn(id),
  id,
  conversationId: "c1",
  epoch: 0,
  state: "queued",
  starts: 0,
  acceptedAt: 0,
  answer: null,
  stopReason: null,
  errorCode: null,
  usage: noUsage,
});

describe("a conversation's lane", () => {
  test("does not miss a turn that is accepted while it looks at its empty queue", async () => {
    const queue: TurnRecord[] = [record("1")];
    const looked = door();
    const answer = door();
    const ran: string[] = [];
    const second = door();
    let looks = 0;
    const lanes = new ConversationLanes({
      concurrent: 1,
      delay: async () => {},
      journal: {
        nextQueued: async () => {
          const next = queue[0] ?? null;
          if (++looks === 2) {
            looked.open();
            await answer.opened;
          }
          return next;
        },
      },
      run: async (turn) => {
        ran.push(turn.id);
        queue.shift();
        if (turn.id === "2") second.open();
      },
    });
    lanes.wake(record("1"));
    await looked.opened;
    queue.push(record("2"));
    lanes.wake(record("2"));
    answer.open();
    await second.opened;
    await lanes.close(new Error("over"));
    expect(ran).toEqual(["1", "2"]);
    expect(lanes.running).toBe(0);
  });
});
