import type { TSchema } from "typebox";
import { channelShape } from "../src/tools/channels/describe.ts";
import { memberShape } from "../src/tools/members/describe.ts";
import { messageShape } from "../src/tools/messages/describe.ts";
import { roleShape } from "../src/tools/roles/describe.ts";
import { entryShape } from "../src/tools/server/audit-entries.ts";
import { postShape, threadShape } from "../src/tools/threads/describe.ts";
import { table } from "./docs-section.ts";

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** As it is published. */
const plain = (schema: TSchema): Schema => JSON.parse(JSON.stringify(schema));

/** What more than one tool gives; told once. */
const shapes: readonly (readonly [name: string, Schema])[] = [
  ["message", plain(messageShape)],
  ["channel", plain(channelShape)],
  ["thread", plain(threadShape)],
  ["post", plain(postShape)],
  ["member", plain(memberShape)],
  ["role", plain(roleShape)],
  ["audit entry", plain(entryShape)],
];

/** The shapes, a table each. */
export function shapesSection(): string {
  const told = shapes.map(([name, { properties = {}, required = [] }]) => {
    const rows = Object.entries(properties).map(([field, schema]) => [
      `\`${field}\``,
      required.includes(field) ? "always" : "",
      typeOf(schema),
      schema.description ?? schema.anyOf?.[0]?.description ?? "",
    ]);
    return `### ${titleOf(name)}\n\n${table(["field", "", "type", "meaning"], rows)}`;
  });
  return ["## What results are made of", ...told].join("\n\n");
}

/** `Gives ` and the fields, those that can be missing with a question mark. */
export function resultOf(output: TSchema): string {
  const schema = plain(output);
  return `Gives ${(schema.anyOf ?? [schema]).map(inWords).join("; or ")}.`;
}

const titleOf = (name: string): string => `${/^[aeiou]/.test(name) ? "An" : "A"} ${name}`;
/** `a [message](#a-message)`. */
function linkTo(name: string): string {
  const title = titleOf(name).toLowerCase();
  return `${title.slice(0, title.indexOf(" "))} [${name}](#${title.replaceAll(" ", "-")})`;
}

function inWords(schema: Schema): string {
  const { properties = {}, required = [] } = schema;
  const shape = shapes.find(([, one]) => holds(schema, one));
  const own = Object.entries(properties).filter(([field]) => shape?.[1].properties?.[field] === undefined);
  const fields = own.map(([field, part]) => {
    const inner = within(part);
    return `\`${field}${required.includes(field) ? "" : "?"}\`${inner === "" ? "" : ` (${inner})`}`;
  });
  const list = fields.join(", ");
  if (shape === undefined) return list;
  return `${linkTo(shape[0])}${list === "" ? "" : ` with ${list}`}`;
}

/** What there is to say of a field's inside; nothing of a text or a number. */
function within(schema: Schema): string {
  if (schema.items !== undefined) {
    const each = within(schema.items);
    return each === "" ? "a list" : `a list, each ${each}`;
  }
  if (schema.anyOf !== undefined) return schema.anyOf.map(within).filter(Boolean).join(", or ");
  return schema.properties === undefined ? "" : inWords(schema);
}

/** Whether every field of the shape is among its fields, as it is there. */
function holds({ properties = {} }: Schema, shape: Schema): boolean {
  return Object.entries(shape.properties ?? {}).every(
    ([field, part]) => JSON.stringify(properties[field]) === JSON.stringify(part),
  );
}

function typeOf(schema: Schema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.items !== undefined) {
    const inner = within(schema.items);
    return `list of ${inner === "" ? schema.items.type : inner}`;
  }
  return schema.properties === undefined ? String(schema.type) : inWords(schema);
}
