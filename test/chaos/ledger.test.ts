import { describe, expect, test } from "bun:test";
import { answers } from "../../src/agent/answers.ts";
import { Ledger } from "./ledger.ts";

const here = "1";
const none: ReadonlyMap<string, number> = new Map();

function ledgerWith(kind: "short" | "read" | "write", ...posts: readonly string[]): Ledger {
  const ledger = new Ledger();
  void ledger.ask({ mark: ledger.newMark(), kind, ledgerId: "9" }, here);
  for (const content of posts) ledger.posted({ content, channel_id: here });
  return ledger;
}

describe("what chaos counts", () => {
  test("a whole answer, in one message or in several", () => {
    const whole = { answered: 1, givenUp: [], lost: [], duplicated: [], misled: [] };
    expect(ledgerWith("short", "q1 line 1 of 1: yes").count(none)).toEqual(whole);
    expect(ledgerWith("read", "q1 line 1 of 2: yes\nq1 line 2 of 2: and so").count(none)).toEqual(whole);
    expect(ledgerWith("read", "q1 line 1 of 2: yes", "q1 line 2 of 2: and so").count(none)).toEqual(whole);
  });

  test.each([
    ["no answer", []],
    ["half an answer", ["q1 line 1 of 2: yes"]],
    ["the second half", ["q1 line 2 of 2: yes"]],
    ["the wrong order", ["q1 line 2 of 2: yes", "q1 line 1 of 2: yes"]],
    ["an apology", ["I could not finish this. Please try again."]],
  ])("lost: %s", (_what, posts) => {
    expect(ledgerWith("read", ...posts).count(none)).toEqual({
      answered: 0,
      givenUp: [],
      lost: ["q1"],
      duplicated: [],
      misled: [],
    });
  });

  test.each([
    ["an answer twice", ["q1 line 1 of 2: a\nq1 line 2 of 2: b", "q1 line 1 of 2: a\nq1 line 2 of 2: b"]],
    ["a part twice", ["q1 line 1 of 2: a", "q1 line 1 of 2: a", "q1 line 2 of 2: b"]],
  ])("duplicated: %s", (_what, posts) => {
    expect(ledgerWith("read", ...posts).count(none)).toMatchObject({ answered: 0, duplicated: ["q1"] });
  });

  test("interrupted too often, and told so; once", () => {
    const ledger = ledgerWith("short");
    ledger.saidAs("q1", "77");
    const reference = { type: 0, channel_id: here, message_id: "77" };
    const sorry = { content: answers.tooOften, channel_id: here, message_reference: reference };
    ledger.posted(sorry);
    expect(ledger.open).toEqual([]);
    expect(ledger.count(none)).toMatchObject({ answered: 0, givenUp: ["q1"], lost: [], duplicated: [] });
    ledger.posted(sorry);
    expect(ledger.count(none)).toMatchObject({ givenUp: [], duplicated: ["q1"] });
  });

  test("duplicated: what a tool wrote twice, whatever the answer says", () => {
    const ledger = ledgerWith("write", "q1 line 1 of 2: it was done\nq1 line 2 of 2: b");
    expect(ledger.count(new Map([["q1", 1]]))).toMatchObject({ answered: 1, duplicated: [] });
    expect(ledger.count(new Map([["q1", 2]]))).toMatchObject({ answered: 0, duplicated: ["q1"] });
  });

  test.each([
    ["it was done", 0, true],
    ["it was done", 1, false],
    ["it was refused", 1, true],
    ["it was refused", 0, false],
    ["it is not known", 0, false],
    ["it is not known", 1, false],
  ])("misled: told that %s, with %i written: %p", (told, written, isMisled) => {
    const ledger = ledgerWith("write", `q1 line 1 of 2: ${told}\nq1 line 2 of 2: b`);
    expect(ledger.count(new Map([["q1", written]])).misled).toEqual(isMisled ? ["q1"] : []);
  });

  test("an answer where nobody asked is an error", () => {
    const ledger = ledgerWith("short");
    expect(() => ledger.posted({ content: "q1 line 1 of 1: yes", channel_id: "2" })).toThrow("nobody asked");
  });
});
