import { integer, isRecord } from "../json.ts";
import { isSnowflake } from "../snowflake.ts";
import { type FormErrorTree, invalidForm } from "./errors.ts";

/**
 * Reads a request's fields one by one and gathers what is wrong, so that the answer names every field at once.
 * Absent and null count alike, as they do for most of Discord's fields. `check` throws what was gathered.
 */
export class Form {
  readonly #values: Record<string, unknown>;
  readonly #errors: FormErrorTree;

  constructor(values: unknown, errors: FormErrorTree = {}) {
    this.#errors = errors;
    this.#values = isRecord(values) ? values : {};
    if (values !== undefined && !isRecord(values)) {
      this.fail("_form", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType");
    }
  }

  static ofQuery(query: URLSearchParams): Form {
    return new Form(
      Object.fromEntries(
        [...query].map(([name, value]) => [name, /^-?\d{1,9}$/.test(value) ? Number(value) : value]),
      ),
    );
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  text(name: string, limits: { readonly max: number; readonly min?: number }): string | null {
    const value = this.#value(name);
    if (value === null) return null;
    if (typeof value !== "string" && typeof value !== "number") {
      return this.fail(name, "BASE_TYPE_BAD_TYPE", "Value is not of the expected type.");
    }
    const text = String(value);
    // Discord counts code points, so that an emoji is one.
    const length = [...text].length;
    if (length > limits.max)
      return this.fail(name, "BASE_TYPE_MAX_LENGTH", `Must be ${limits.max} or fewer in length.`);
    if (length < (limits.min ?? 0))
      return this.fail(name, "BASE_TYPE_MIN_LENGTH", `Must be ${limits.min} or more in length.`);
    return text;
  }

  integer(name: string, limits: { readonly min: number; readonly max: number }): number | null {
    const value = this.#value(name);
    if (value === null) return null;
    const number = integer(value);
    if (number === null) return this.fail(name, "NUMBER_TYPE_COERCE", `Value "${String(value)}" is not int.`);
    if (number < limits.min)
      return this.fail(
        name,
        "NUMBER_TYPE_MIN",
        `int value should be greater than or equal to ${limits.min}.`,
      );
    if (number > limits.max)
      return this.fail(name, "NUMBER_TYPE_MAX", `int value should be less than or equal to ${limits.max}.`);
    return number;
  }

  /** An ISO 8601 time, in milliseconds since 1970. */
  time(name: string): number | null {
    const value = this.#value(name);
    if (value === null) return null;
    const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
    return Number.isNaN(time)
      ? this.fail(name, "DATE_TIME_TYPE_PARSE", `Could not parse ${String(value)}. Should be ISO8601.`)
      : time;
  }

  /** One of a few numbers. */
  choice(name: string, choices: readonly number[]): number | null {
    const value = this.#value(name);
    if (value === null) return null;
    return choices.find((choice) => choice === value) ?? this.#notAmong(name, choices);
  }

  #notAmong(name: string, choices: readonly number[]): null {
    return this.fail(name, "BASE_TYPE_CHOICES", `Value must be one of {${choices.join(", ")}}.`);
  }

  flag(name: string): boolean | null {
    const value = this.#value(name);
    if (value === null) return null;
    if (value === "true" || value === "false") return value === "true";
    return typeof value === "boolean"
      ? value
      : this.fail(name, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.");
  }

  /** A set of permissions, sent as decimal text. */
  bits(name: string): bigint | null {
    const text = this.text(name, { max: 20 });
    if (text === null) return null;
    if (/^\d+$/.test(text)) return BigInt(text);
    return this.fail(name, "NUMBER_TYPE_COERCE", `Value "${text}" is not int.`);
  }

  snowflake(name: string): string | null {
    const value = this.#value(name);
    if (value === null) return null;
    const id = typeof value === "number" ? String(value) : value;
    if (id === "0") return "0";
    return isSnowflake(id)
      ? id
      : this.fail(name, "NUMBER_TYPE_COERCE", `Value "${String(value)}" is not snowflake.`);
  }

  required<Value>(name: string, value: Value | null): Value {
    if (value !== null) return value;
    if (this.#value(name) === null) this.fail(name, "BASE_TYPE_REQUIRED", "This field is required");
    throw invalidForm(this.#errors);
  }

  list(name: string, max: number): unknown[] | null {
    const value = this.#value(name);
    if (value === null) return null;
    if (!Array.isArray(value))
      return this.fail(name, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
    if (value.length > max)
      return this.fail(name, "BASE_TYPE_MAX_LENGTH", `Must be ${max} or fewer in length.`);
    return value;
  }

  /** A part whose errors nest under its name. */
  part(name: string): Form | null {
    const value = this.#value(name);
    return value === null ? null : this.#nest(name, value);
  }

  /** A list of parts; each one's errors nest under the list's name and its place in it. */
  parts(name: string, max: number): Form[] | null {
    const values = this.list(name, max);
    if (values === null) return null;
    const errors: FormErrorTree = {};
    this.#nested.push([name, errors]);
    const all = new Form({}, errors);
    const parts = values.map((value, at) => all.#nest(String(at), value));
    this.#lists.push(all);
    return parts;
  }

  #nest(name: string, value: unknown): Form {
    const errors: FormErrorTree = {};
    this.#nested.push([name, errors]);
    return new Form(value, errors);
  }

  readonly #nested: [string, FormErrorTree][] = [];
  readonly #lists: Form[] = [];

  fail(name: string, code: string, message: string): null {
    this.#errors[name] = { _errors: [{ code, message }] };
    return null;
  }

  check(): void {
    this.#gather();
    if (Object.keys(this.#errors).length > 0) throw invalidForm(this.#errors);
  }

  #gather(): void {
    for (const list of this.#lists) list.#gather();
    for (const [name, errors] of this.#nested) {
      if (Object.keys(errors).length > 0) this.#errors[name] = errors;
    }
  }

  #value(name: string): unknown {
    return this.#values[name] ?? null;
  }
}
