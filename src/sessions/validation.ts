import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { AppError, type ErrorCode } from "../errors.ts";

/** Compiled once; gives the value back with its type, or throws AppError with the path of the first problem. */
export function parser<Schema extends TSchema>(schema: Schema, code: ErrorCode = "invalid_data") {
  const validator = Compile(schema);
  return (value: unknown): Static<Schema> => {
    if (validator.Check(value)) return value;
    const { path, problem } = describe(validator.Errors(value));
    const where = path === "" ? "The data" : `The field ${path}`;
    throw new AppError(code, `${where} ${problem}.`, { data: { path, problem } });
  };
}

interface Problem {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: unknown;
}

/** The deepest first problem, in the words of a person; the path is `user_preferences.language`. */
function describe(problems: readonly Problem[]): { path: string; problem: string } {
  const first =
    problems.find((each) => each.keyword !== "boolean" && each.keyword !== "anyOf") ?? problems[0];
  if (first === undefined) return { path: "", problem: "is not valid" };
  const path = first.instancePath.slice(1).replaceAll("/", ".");
  const named = names(first.params);
  if (first.keyword === "required" && named !== null)
    return { path: join(path, named[0]), problem: "is missing" };
  if (first.keyword === "additionalProperties" && named !== null)
    return { path: join(path, named[0]), problem: "is not known" };
  return { path, problem: first.message };
}

function join(path: string, name: string | undefined): string {
  const short = (name ?? "").slice(0, 64);
  return path === "" ? short : `${path}.${short}`;
}

function names(params: unknown): readonly string[] | null {
  if (typeof params !== "object" || params === null) return null;
  const list =
    "requiredProperties" in params
      ? params.requiredProperties
      : "additionalProperties" in params
        ? params.additionalProperties
        : null;
  return Array.isArray(list) ? list.filter((name) => typeof name === "string") : null;
}
