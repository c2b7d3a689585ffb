import type { Static, TObject } from "typebox";
import { Compile } from "typebox/compile";
import { AppError } from "../errors.ts";
import { snowflakePattern } from "../snowflake.ts";

export const timePattern =
  "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$";

/** What a model should write instead, where the pattern itself would not tell it. */
const patternMeanings: Readonly<Record<string, string>> = {
  [snowflakePattern]: "must be a Discord id as a string: 15 to 20 digits",
  [timePattern]: "must be an ISO 8601 time, such as 2026-05-01T18:30:00Z",
};

interface Problem {
  readonly path: string;
  readonly problem: string;
}

const maxProblems = 5;

/** Compiled once. Gives the arguments back, or throws AppError `invalid_arguments` that says of each what is expected. */
export function argumentsParser<Input extends TObject>(
  toolName: string,
  input: Input,
): (value: unknown) => Static<Input> {
  const validator = Compile(input);
  const known = Object.keys(input.properties);
  return (value) => {
    if (validator.Check(value)) return value;
    const problems = validator
      .Errors(value)
      .flatMap((error) => describe(error, known))
      .slice(0, maxProblems);
    const sentences = problems.map(({ path, problem }) => (path === "" ? problem : `${path} ${problem}`));
    const [first] = problems;
    throw new AppError("invalid_arguments", `Arguments of ${toolName}: ${sentences.join("; ")}.`, {
      data: first === undefined ? {} : { path: first.path, problem: first.problem },
    });
  };
}

interface ValidationError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

function describe(error: ValidationError, known: readonly string[]): Problem[] {
  const { keyword, message, params } = error;
  const path = error.instancePath.slice(1).replaceAll("/", ".").slice(0, 100);
  if (keyword === "boolean") return [];
  if ("additionalProperties" in params && Array.isArray(params.additionalProperties)) {
    const list = known.length === 0 ? "there are none" : `known are ${known.join(", ")}`;
    return params.additionalProperties.map((name) => ({
      path: join(path, String(name)),
      problem: `is not known; ${list}`,
    }));
  }
  if ("requiredProperties" in params && Array.isArray(params.requiredProperties))
    return params.requiredProperties.map((name) => ({
      path: join(path, String(name)),
      problem: "is missing",
    }));
  if ("pattern" in params)
    return [{ path, problem: patternMeanings[String(params.pattern)] ?? `must match ${params.pattern}` }];
  if ("allowedValue" in params) return [{ path, problem: `must be ${JSON.stringify(params.allowedValue)}` }];
  return [{ path: path === "" ? "the whole" : path, problem: message }];
}

function join(path: string, name: string): string {
  const short = name.slice(0, 64);
  return path === "" ? short : `${path}.${short}`;
}
