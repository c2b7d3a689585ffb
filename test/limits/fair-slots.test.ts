import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FairSlots, type SlotOwner } from "../../src/limits/fair-slots.ts";

const never = new AbortController().signal;
const inGuild = (guildId: string, userId = "1"): SlotOwner => ({ guildId, userId });

/** Takes what it is given and notes who has had a slot. */
class Line {
  readonly slots: FairSlots;
  readonly served: string[] = [];
  readonly held: (() => void)[] = [];

  constructor(count: number) {
    this.slots = new FairSlots(count);
  }

  ask(name: string, owner: SlotOwner, signal = never): Promise<void> {
    return this.slots.acquire(owner, signal).then((release) => {
      this.served.push(name);
      this.held.push(release);
    });
  }

  /** Everything that is settled by now has been noted. */
  async noted(): Promise<readonly string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.served;
  }

  async giveBackOne(): Promise<void> {
    this.held.shift()?.();
    await this.noted();
  }
}

describe("fair slots", () => {
  test("are given back once, and not to those who have gone", async () => {
    const line = new Line(1);
    const release = await line.slots.acquire(inGuild("a"), never);
    const gone = new AbortController();
    const leaving = line.ask("gone", inGuild("a"), gone.signal);
    void line.ask("patient", inGuild("b"));
    gone.abort(new Error("gone"));
    await expect(leaving).rejects.toThrow("gone");
    release();
    release();
    void line.ask("third", inGuild("c"));
    expect(await line.noted()).toEqual(["patient"]);
    await line.giveBackOne();
    expect(line.served).toEqual(["patient", "third"]);
  });

  test("are kept for whoever comes next while one server wants them all", async () => {
    const line = new Line(8);
    for (let n = 0; n < 20; n++) void line.ask("flood", inGuild("a"));
    expect(await line.noted()).toHaveLength(6);
    void line.ask("quiet", inGuild("b"));
    void line.ask("direct", { guildId: null, userId: "1" });
    expect((await line.noted()).slice(6)).toEqual(["quiet", "direct"]);
  });

  test("go round by server, within it by person, then as they came", async () => {
    const line = new Line(1);
    await line.ask("first", inGuild("a"));
    for (const [name, owner] of [
      ["a1 one", inGuild("a", "1")],
      ["a1 two", inGuild("a", "1")],
      ["a2 one", inGuild("a", "2")],
      ["b1 one", inGuild("b", "1")],
      ["b1 two", inGuild("b", "1")],
    ] as const)
      void line.ask(name, owner);
    for (let n = 0; n < 6; n++) await line.giveBackOne();
    expect(line.served).toEqual(["first", "a1 one", "b1 one", "a2 one", "b1 two", "a1 two"]);
  });

  test("whoever asks without waiting passes nobody of their own server", async () => {
    const line = new Line(1);
    await line.ask("first", inGuild("a"));
    void line.ask("second", inGuild("a"));
    expect(line.slots.tryAcquire(inGuild("b"))).toBeNull();
    await line.giveBackOne();
    expect(line.served).toEqual(["first", "second"]);
  });

  test("in any order of coming and going: never more than there are, and everybody is served in the end", async () => {
    const place = fc.constantFrom("a", "b", "c");
    const step = fc.oneof(fc.record({ ask: place }), fc.constant("give back" as const));
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.array(step),
      async (count, steps) => {
        const line = new Line(count);
        let asked = 0;
        for (const each of steps) {
          if (each === "give back") await line.giveBackOne();
          else {
            asked++;
            void line.ask(each.ask, inGuild(each.ask));
            await line.noted();
          }
          expect(line.held.length).toBeLessThanOrEqual(count);
        }
        while (line.held.length > 0) await line.giveBackOne();
        expect(line.served).toHaveLength(asked);
        expect(line.slots.tryAcquire(inGuild("new"))).not.toBeNull();
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });
});
