import { refuse } from "./errors.ts";

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown, path: string): JsonObject {
  if (!isObject(value)) refuse(`${path}: Input should be an object`);
  return value;
}

export function listAt(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) refuse(`${path}: Input should be a valid list`);
  return value;
}

export function stringAt(object: JsonObject, key: string, path: string): string {
  const value = object[key];
  if (value === undefined) refuse(`${path}${key}: Field required`);
  if (typeof value !== "string") refuse(`${path}${key}: Input should be a valid string`);
  return value;
}

/** The API refuses what it does not know, so a field of ours that leaks into a request is caught. */
export function onlyKnown(object: JsonObject, known: readonly string[], path: string): void {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) refuse(`${path}${key}: Extra inputs are not permitted`);
  }
}

export function optionalInteger(object: JsonObject, key: string, path: string, least: number): void {
  const value = object[key];
  if (value === undefined) return;
  if (typeof value !== "number" || !Number.isInteger(value))
    refuse(`${path}${key}: Input should be a valid integer`);
  if (value < least) refuse(`${path}${key}: Input should be greater than or equal to ${least}`);
}
