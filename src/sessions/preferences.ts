import { type Static, Type } from "typebox";
import type { Preferences } from "../agent/ports.ts";

const text = (maxLength: number, description: string, pattern?: string) =>
  Type.Optional(
    Type.Union([
      Type.String({ minLength: 1, maxLength, description, ...(pattern === undefined ? {} : { pattern }) }),
      Type.Null(),
    ]),
  );

/** Without control characters, which a name or a tone has no use for. */
const oneLine = "^[^\\u0000-\\u001f\\u007f]+$";

/** What `context_update` takes: a field that is absent stays, `null` removes it, an unknown one is refused. */
export const PreferencesUpdate = Type.Object(
  {
    language: text(35, "BCP 47 language tag, such as de or pt-BR", "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"),
    tone: text(200, "How answers should sound", oneLine),
    name: text(64, "What to call the person", oneLine),
    instructions: text(2000, "Anything else to keep in mind"),
  },
  { additionalProperties: false },
);
export type PreferencesUpdate = Static<typeof PreferencesUpdate>;

const fields = ["language", "tone", "name", "instructions"] as const;

export function applyPreferences(present: Preferences, update: PreferencesUpdate): Preferences {
  const next: { -readonly [Field in keyof Preferences]: Preferences[Field] } = { ...present };
  for (const field of fields) {
    const value = update[field];
    if (value === null) delete next[field];
    else if (value !== undefined) next[field] = value;
  }
  return next;
}
