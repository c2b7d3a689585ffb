import { Ajv, type ValidateFunction } from "ajv";
import { createRegistry, type Registry, type RegistryOptions } from "../../src/tools/registry.ts";
import type { Tool } from "../../src/tools/tool.ts";

/** As strict as a client can be: a schema with anything in it that it does not know is refused. */
const ajv = new Ajv({ strict: true, allowUnionTypes: false, allErrors: true });
const compiled = new WeakMap<Tool, ValidateFunction>();

/**
 * The real registry, with every result held against what its tool says of its results. It also has to say all of it: a
 * field that the schema does not name is a fault, though a client would let it pass.
 */
export function createCheckedRegistry(options: RegistryOptions): Registry {
  const registry = createRegistry(options);
  const tools = new Map(options.tools.map((tool) => [tool.name, tool]));
  return {
    ...registry,
    async call(request) {
      const outcome = await registry.call(request);
      const tool = tools.get(request.toolName);
      if (outcome.kind === "done" && tool !== undefined) assertFits(tool, outcome.value);
      return outcome;
    },
  };
}

/** Throws for a value that is not of the tool's output. */
export function assertFits(tool: Tool, value: unknown): void {
  const check = compiled.get(tool) ?? ajv.compile(closed(JSON.parse(JSON.stringify(tool.output))));
  compiled.set(tool, check);
  if (check(value)) return;
  const problems = (check.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
  throw new Error(
    `A result of ${tool.name} is not of its output: ${problems.join("; ")}: ${JSON.stringify(value).slice(0, 2000)}`,
  );
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The same schema with no room for what it does not name. */
function closed(schema: Json): { [key: string]: Json } {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema))
    throw new Error(`No schema: ${JSON.stringify(schema)}`);
  const { properties, items, anyOf } = schema;
  return {
    ...schema,
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.map(closed) } : {}),
    ...(items === undefined ? {} : { items: closed(items) }),
    ...(typeof properties === "object" && properties !== null
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, part]) => [key, closed(part)]),
          ),
          additionalProperties: schema.additionalProperties ?? false,
        }
      : {}),
  };
}
