import { isDecimalId } from "../snowflake.ts";

/**
 * Whether something that came from outside is such a value, as far as we go by it. `of` is never there: it says to the
 * compiler which values are meant, so that a check of less than a type promises does not pass for one of it.
 */
export interface Fits<Value> {
  (value: unknown): boolean;
  readonly of?: (value: Value) => void;
}

type Names<Value> = Value extends unknown ? keyof Value & string : never;
/** Of a union: what it is in any of its types that has it. */
type Field<Value, Name> = Value extends unknown ? (Name extends keyof Value ? Value[Name] : never) : never;
type FieldFits<Value> = { readonly [Name in Names<Value>]?: Fits<Field<Value, Name>> };

export const isText: Fits<string> = (value) => typeof value === "string";
export const isBoolean: Fits<boolean> = (value) => typeof value === "boolean";
export const isWhole: Fits<number> = Number.isSafeInteger;
export const isNumber: Fits<number> = (value) => typeof value === "number";
export const isId: Fits<string> = isDecimalId;
/** Nothing is gone by. */
export const isAnything: Fits<unknown> = () => true;

/** A time that can be read. */
export const isTime: Fits<string> = (value) => typeof value === "string" && !Number.isNaN(Date.parse(value));

/** BigInt reads "" as 0 and "-1" as every bit there is. */
export const isBits: Fits<string> = (value) => typeof value === "string" && /^\d{1,40}$/.test(value);

export const isOneOf =
  <Value>(...values: readonly Value[]): Fits<Value> =>
  (value) =>
    values.some((one) => one === value);

/** It may be missing. */
export const maybe =
  <Value>(fits: Fits<Value>): Fits<Value | undefined> =>
  (value) =>
    value === undefined || fits(value);

export const orNull =
  <Value>(fits: Fits<Value>): Fits<Value | null> =>
  (value) =>
    value === null || fits(value);

/** It may be missing or null, which come to the same. */
export const orNothing = <Value>(fits: Fits<Value>): Fits<Value | null | undefined> => maybe(orNull(fits));

export const listOf =
  <Value>(fits: Fits<Value>): Fits<readonly Value[]> =>
  (value) =>
    Array.isArray(value) && value.every((one) => fits(one));

/** An object whose fields fit. */
export function object<Value extends object>(fields: FieldFits<Value>): Fits<Value> {
  const all: readonly (readonly [string, Fits<unknown>])[] = Object.entries(fields);
  return (value) => isObject(value) && all.every(([name, fits]) => fits(value[name]));
}

export const both =
  <One, Other>(one: Fits<One>, other: Fits<Other>): Fits<One & Other> =>
  (value) =>
    one(value) && other(value);

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
