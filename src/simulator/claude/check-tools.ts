import { refuse } from "./errors.ts";
import { isObject, type JsonObject, listAt, objectAt, onlyKnown, stringAt } from "./fields.ts";
import { searchNames } from "./tool-search.ts";

const namePattern = /^[a-zA-Z0-9_-]{1,128}$/;
const propertyPattern = /^[a-zA-Z0-9_.-]{1,64}$/;
const schemaTypes = ["string", "number", "integer", "boolean", "object", "array", "null"];
const maxSchemaDepth = 32;
const toolFields = [
  "type",
  "name",
  "description",
  "input_schema",
  "cache_control",
  "strict",
  "input_examples",
  "defer_loading",
  "eager_input_streaming",
  "allowed_callers",
];

const searchFields = ["type", "name", "cache_control", "defer_loading", "strict", "allowed_callers"];
const maxDeferred = 10_000;

/** Client tools and the search among them are checked wholly; other tools that the API itself runs are taken as they are. */
export function checkTools(tools: unknown): void {
  if (tools === undefined) return;
  const names = new Set<string>();
  const list = listAt(tools, "tools");
  checkDeferred(list);
  list.forEach((value, index) => {
    const path = `tools.${index}`;
    const tool = objectAt(value, path);
    const name = stringAt(tool, "name", `${path}.`);
    if (names.has(name)) refuse("tools: Tool names must be unique.");
    names.add(name);
    if (typeof tool.type === "string" && tool.type.startsWith("tool_search_tool_"))
      checkSearchTool(tool, name, path);
    if (typeof tool.type === "string" && tool.type !== "custom") return;
    if (!namePattern.test(name))
      refuse(`${path}.custom.name: String should match pattern '${namePattern.source}'`);
    onlyKnown(tool, toolFields, `${path}.custom.`);
    checkInputSchema(tool.input_schema, `${path}.custom.input_schema`);
  });
}

/** https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool#error-handling */
function checkDeferred(tools: readonly unknown[]): void {
  const deferred = tools.filter((tool, index) => {
    if (!isObject(tool) || tool.defer_loading === undefined) return false;
    if (typeof tool.defer_loading !== "boolean")
      refuse(`tools.${index}.defer_loading: Input should be a valid boolean`);
    if (tool.defer_loading && tool.cache_control)
      refuse(`tools.${index}: cache_control cannot be set on a tool with defer_loading`);
    return tool.defer_loading;
  });
  if (deferred.length > maxDeferred) refuse(`tools: at most ${maxDeferred} tools may be deferred`);
  if (deferred.length > 0 && deferred.length === tools.length)
    refuse("All tools have defer_loading set. At least one tool must be non-deferred.");
}

function checkSearchTool(tool: JsonObject, name: string, path: string): void {
  const type = String(tool.type);
  const known = searchNames.find((one) => type === one || type === `${one}_20251119`);
  if (known === undefined) refuse(`${path}.type: '${type}' is no tool that is known`);
  if (name !== known) refuse(`${path}.${type}.name: Input should be '${known}'`);
  if (tool.defer_loading === true) refuse(`${path}.${type}: the tool search tool cannot be deferred`);
  onlyKnown(tool, searchFields, `${path}.${type}.`);
}

export function checkToolChoice(choice: unknown, tools: unknown): void {
  if (choice === undefined) return;
  const { type, name } = objectAt(choice, "tool_choice");
  const list = Array.isArray(tools) ? tools : [];
  if (type !== "none" && list.length === 0)
    refuse("tool_choice may only be specified while providing tools.");
  if (!["auto", "any", "tool", "none"].includes(String(type)))
    refuse("tool_choice: Input should be 'auto', 'any', 'tool' or 'none'");
  if (type === "tool" && !list.some((tool) => isObject(tool) && tool.name === name))
    refuse(`Tool '${String(name)}' not found in provided tools`);
}

function checkInputSchema(value: unknown, path: string): void {
  if (value === undefined) refuse(`${path}: Field required`);
  const schema = objectAt(value, path);
  if (schema.type === undefined) refuse(`${path}.type: Field required`);
  if (schema.type !== "object") refuse(`${path}.type: Input should be 'object'`);
  for (const combiner of ["oneOf", "allOf", "anyOf"]) {
    if (combiner in schema)
      refuse(`${path}: input_schema does not support oneOf, allOf, or anyOf at the top level`);
  }
  for (const key of Object.keys(isObject(schema.properties) ? schema.properties : {})) {
    if (!propertyPattern.test(key))
      refuse(`${path}.properties: Property keys should match pattern '${propertyPattern.source}'`);
  }
  if (!isSchema(schema, 0))
    refuse(`${path}: JSON schema is invalid. It must match JSON Schema draft 2020-12`);
}

/** The structural part of the draft's meta-schema: what a hand-written schema gets wrong. */
function isSchema(value: unknown, depth: number): boolean {
  if (typeof value === "boolean") return true;
  if (!isObject(value) || depth > maxSchemaDepth) return false;
  return (
    isType(value.type) &&
    isNameList(value.required) &&
    (value.enum === undefined || Array.isArray(value.enum)) &&
    (value.description === undefined || typeof value.description === "string") &&
    (value.pattern === undefined || isPattern(value.pattern)) &&
    subschemasAreValid(value, depth + 1)
  );
}

function subschemasAreValid(schema: JsonObject, depth: number): boolean {
  const maps = [schema.properties, schema.patternProperties, schema.$defs];
  const lists = [schema.anyOf, schema.oneOf, schema.allOf, schema.prefixItems];
  const single = [
    schema.items,
    schema.additionalProperties,
    schema.not,
    schema.contains,
    schema.propertyNames,
  ];
  return (
    maps.every(
      (map) =>
        map === undefined ||
        map === null ||
        (isObject(map) && Object.values(map).every((sub) => isSchema(sub, depth))),
    ) &&
    lists.every(
      (list) =>
        list === undefined ||
        (Array.isArray(list) && list.length > 0 && list.every((sub) => isSchema(sub, depth))),
    ) &&
    single.every((sub) => sub === undefined || isSchema(sub, depth))
  );
}

function isType(type: unknown): boolean {
  if (type === undefined) return true;
  const names: unknown[] = Array.isArray(type) ? type : [type];
  return names.length > 0 && names.every((name) => schemaTypes.includes(String(name)));
}

function isNameList(names: unknown): boolean {
  if (names === undefined || names === null) return true;
  return (
    Array.isArray(names) &&
    names.every((name) => typeof name === "string") &&
    new Set(names).size === names.length
  );
}

function isPattern(pattern: unknown): boolean {
  try {
    return typeof pattern === "string" && new RegExp(pattern, "u") instanceof RegExp;
  } catch {
    return false;
  }
}
