import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { applyPreferences, PreferencesUpdate } from "../../src/sessions/preferences.ts";
import { parser } from "../../src/sessions/validation.ts";

const parse = parser(PreferencesUpdate);
const pathOf = (value: unknown) => {
  try {
    parse(value);
    return null;
  } catch (error) {
    return error instanceof AppError ? `${error.code} ${error.data.path}` : error;
  }
};

describe("preferences", () => {
  test.each([
    {},
    { language: "de", tone: "dry", name: "Ana", instructions: "Be\nbrief" },
    { language: "zh-Hant-TW" },
    { language: null, tone: null, name: null, instructions: null },
  ])("takes %j", (value) => {
    expect(pathOf(value)).toBeNull();
  });

  test("bounds the lengths", () => {
    const longest = { name: "x".repeat(64), tone: "x".repeat(200), instructions: "x".repeat(2000) };
    expect(pathOf(longest)).toBeNull();
    for (const [field, text] of Object.entries(longest))
      expect(pathOf({ ...longest, [field]: `${text}x` })).toBe(`invalid_data ${field}`);
  });

  test.each([
    [{ language: "not a tag" }, "language"],
    [{ language: `de${"-abcdefgh".repeat(4)}` }, "language"],
    [{ name: "" }, "name"],
    [{ name: "A\nB" }, "name"],
    [{ instructions: 7 }, "instructions"],
    [{ colour: "red" }, "colour"],
    [[], ""],
    ["x", ""],
  ])("refuses %j and names the field", (value, path) => {
    expect(pathOf(value)).toBe(`invalid_data ${path}`);
  });

  test("null removes, absent stays, nothing is changed in place", () => {
    const before = Object.freeze({ language: "de", tone: "dry" });
    expect(applyPreferences(before, { tone: null, name: "Ana" })).toEqual({ language: "de", name: "Ana" });
    expect(before).toEqual({ language: "de", tone: "dry" });
  });
});
