import type { TObject } from "typebox";

export interface PlainSchema {
  readonly type: "object";
  readonly properties: unknown;
  readonly required: string[];
  readonly additionalProperties: unknown;
  readonly [key: string]: unknown;
}

/** JSON Schema as plain data in one fixed order, so that it has the same bytes wherever and whenever it is written. */
export function plainSchema(schema: TObject): PlainSchema {
  const plain: Record<string, unknown> = JSON.parse(JSON.stringify(schema));
  return {
    type: "object",
    properties: plain.properties ?? {},
    required: [...(schema.required ?? [])],
    additionalProperties: plain.additionalProperties,
  };
}
