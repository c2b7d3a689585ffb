import { BadValue, type Variable } from "./values.ts";
import { variables } from "./variables.ts";

export type Values = { readonly [Name in keyof typeof variables]: (typeof variables)[Name]["fallback"] };

/** What each variable holds, and its fallback where it holds nothing or, with a line in `problems`, what cannot be used. */
export function readVariables(env: Readonly<Record<string, string | undefined>>, problems: string[]): Values {
  const entries = Object.entries<Variable<unknown>>(variables).map(([name, variable]) => {
    const text = env[name]?.trim();
    if (text === undefined || text === "") {
      return [name, variable.fallback];
    }
    try {
      return [name, variable.parse(text)];
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      problems.push(`${name} ${oneLine(error.message)}`);
      return [name, variable.fallback];
    }
  });
  return Object.fromEntries(entries);
}

/** What is quoted of a value can hold anything; a problem is a line that a terminal shows as it is. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "\ufffd").toWellFormed();
