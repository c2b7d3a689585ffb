import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createEventHub, type StreamEvent } from "../../src/sessions/events.ts";

function listen() {
  const got: StreamEvent[] = [];
  return {
    got,
    subscriber: { sessionId: "s", origin: null, listener: (e: StreamEvent) => void got.push(e) },
  };
}
const numbers = (events: readonly StreamEvent[]) => events.map((event) => event.seq);

describe("the event hub", () => {
  test("numbers the events of each conversation and gives them to who listens", () => {
    const hub = createEventHub();
    const a = listen();
    const sub = hub.subscribe("a", a.subscriber);
    hub.publish("a", { n: 1 });
    hub.publish("b", { n: 1 });
    hub.publish("a", { n: 2, turn_id: "t" });
    sub.close();
    hub.publish("a", { n: 3 });
    expect(a.got.map(({ seq, json, turnId }) => ({ seq, json, turnId }))).toEqual([
      { seq: 1, json: '{"n":1}', turnId: null },
      { seq: 2, json: '{"n":2,"turn_id":"t"}', turnId: "t" },
    ]);
    expect(hub.position("a")).toBe(3);
  });

  test("bounds the subscriptions of all streams, and gives each place back once", () => {
    const hub = createEventHub({ maxSubscribers: 3 });
    const subscribe = (stream: string) => hub.subscribe(stream, listen().subscriber);
    const first = subscribe("a");
    for (const stream of ["a", "b"]) subscribe(stream);
    expect(() => subscribe("c")).toThrow("too many sessions are followed");
    expect(hub.streams).toBe(2);
    first.close();
    first.close();
    subscribe("c");
    expect(() => subscribe("d")).toThrow("too many sessions are followed");
  });

  test("gives a session's own events to that session, and not to who caused them", () => {
    const hub = createEventHub();
    const [mine, other, foreign] = [listen(), listen(), listen()];
    const origin = {};
    hub.subscribe("a", { ...mine.subscriber, origin });
    hub.subscribe("a", other.subscriber);
    hub.subscribe("a", { ...foreign.subscriber, sessionId: "another" });
    hub.publish("a", { type: "context_updated" }, { sessionId: "s", origin });
    expect([mine, other, foreign].map(({ got }) => got.length)).toEqual([0, 1, 0]);
    const back = hub.subscribe(
      "a",
      { ...foreign.subscriber, sessionId: "another" },
      { afterSeq: 0, epoch: null },
    );
    expect(back.replay).toEqual([]);
  });

  test("replays what was missed, and says when it cannot", () => {
    const hub = createEventHub({ maxEvents: 3 });
    for (let n = 1; n <= 5; n++) hub.publish("a", { n });
    const since = (afterSeq: number, epoch: string | null = hub.epoch) => {
      const { replay, missedTooMuch } = hub.subscribe("a", listen().subscriber, { afterSeq, epoch });
      return missedTooMuch ? "missed" : numbers(replay);
    };
    expect(since(5)).toEqual([]);
    expect(since(3)).toEqual([4, 5]);
    expect(since(2)).toEqual([3, 4, 5]);
    expect(since(1)).toBe("missed");
    expect(since(6)).toBe("missed");
    expect(since(5, "an earlier process")).toBe("missed");
    expect(since(4, null)).toEqual([5]);
  });

  test("bounds the buffer in bytes", () => {
    const hub = createEventHub({ maxBytes: 10_000 });
    for (let n = 0; n < 20; n++) hub.publish("a", { text: "x".repeat(1000) });
    const from = (afterSeq: number) => hub.subscribe("a", listen().subscriber, { afterSeq, epoch: null });
    expect(from(0).missedTooMuch).toBe(true);
    expect(numbers(from(12).replay)).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
    hub.publish("a", { text: "x".repeat(20_000) });
    expect(from(20).missedTooMuch).toBe(true);
  });

  test("bounds all buffers together: idle streams go first, then the publishing one keeps less", () => {
    const hub = createEventHub({ maxTotalBytes: 10_000 });
    const busy = hub.subscribe("busy", listen().subscriber);
    for (let n = 0; n < 4; n++) hub.publish("busy", { text: "x".repeat(1000) });
    for (let n = 0; n < 20; n++) hub.publish(`idle ${n}`, { text: "x".repeat(1000) });
    expect(hub.streams).toBeLessThanOrEqual(7);
    const from = (afterSeq: number) => hub.subscribe("busy", listen().subscriber, { afterSeq, epoch: null });
    expect(numbers(from(0).replay)).toEqual([1, 2, 3, 4]);
    for (let n = 0; n < 20; n++) hub.publish("busy", { text: "x".repeat(1000) });
    expect(from(0).missedTooMuch).toBe(true);
    expect(from(20).replay.length).toBe(4);
    busy.close();
  });

  test("forgets idle streams alone, and never mistakes an old number for a new one", () => {
    const hub = createEventHub({ maxIdleStreams: 2 });
    const kept = listen();
    hub.subscribe("kept", kept.subscriber);
    hub.publish("kept", {});
    for (let n = 0; n < 5; n++) hub.publish("forgotten", {});
    for (let n = 0; n < 10; n++) hub.publish(`other ${n}`, {});
    expect(hub.streams).toBe(3);
    hub.publish("kept", {});
    expect(numbers(kept.got)).toEqual([1, 2]);
    const back = hub.subscribe("forgotten", listen().subscriber, { afterSeq: 3, epoch: hub.epoch });
    expect(back.missedTooMuch).toBe(true);
    expect(back.seq).toBeGreaterThanOrEqual(5);
  });

  test("whoever comes back gets exactly what came meanwhile, or is told", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: fc.constantFrom("a", "b", "c", "d"), leave: fc.boolean() }), {
          maxLength: 60,
        }),
        (steps) => {
          const hub = createEventHub({ maxEvents: 4, maxIdleStreams: 1 });
          const all = new Map<string, { seq: number; json: string }[]>();
          const seen = new Map<string, number>();
          for (const [n, { key, leave }] of steps.entries()) {
            if (leave) {
              const afterSeq = seen.get(key) ?? hub.position(key);
              const sub = hub.subscribe(key, listen().subscriber, { afterSeq, epoch: hub.epoch });
              const expected = (all.get(key) ?? []).filter((event) => event.seq > afterSeq);
              if (!sub.missedTooMuch)
                expect(sub.replay.map((e) => e.json)).toEqual(expected.map((e) => e.json));
              seen.set(key, sub.seq);
              sub.close();
            } else {
              hub.publish(key, { n });
              const list = all.get(key) ?? [];
              list.push({ seq: hub.position(key), json: JSON.stringify({ n }) });
              all.set(key, list);
            }
          }
        },
      ),
    );
  });
});
