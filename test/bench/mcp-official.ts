import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import {
  createMcpHandler,
  fromJsonSchema,
  type JsonSchemaType,
  McpServer,
} from "@modelcontextprotocol/server";
import { partArgs, servePart } from "./parts.ts";
import { processor, residentBytes } from "./processes.ts";

/**
 * The official server as its guide has it, on Node: a server for each request, from a factory. It knows no tokens and
 * writes nothing down. Schemas are made once, which its guide does not do, and what noop gives is not checked.
 */
interface Listed {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchemaType;
  readonly outputSchema: JsonSchemaType;
}

/** A file of tools for its list; without one it has noop alone. */
const { tools } = partArgs();
const listed: readonly Listed[] =
  tools === undefined ? [] : JSON.parse(await readFile(String(tools), "utf8"));
const described = listed.map(({ name, inputSchema, outputSchema, ...more }) => ({
  name,
  config: {
    ...more,
    inputSchema: fromJsonSchema(inputSchema),
    outputSchema: fromJsonSchema(outputSchema),
  },
}));
const noop = {
  title: "Nothing",
  description: "Does nothing.",
  inputSchema: fromJsonSchema<{ readonly text: string }>({
    type: "object",
    properties: { text: { type: "string" } },
    required: ["text"],
    additionalProperties: false,
  }),
};

const handler = createMcpHandler(() => {
  const server = new McpServer(
    { name: "official", version: "1" },
    { capabilities: { tools: {}, resources: { subscribe: true } } },
  );
  if (tools === undefined)
    server.registerTool("noop", noop, ({ text }) => ({
      content: [{ type: "text", text }],
      structuredContent: { text },
    }));
  for (const { name, config } of described) server.registerTool(name, config, () => ({ content: [] }));
  return server;
});
// @ts-expect-error: it is written for less strict types, in which optional and undefined are one
const server = createServer(toNodeHandler(handler));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = server.address();
if (address === null || typeof address === "string") throw new Error("the server has no port");
servePart(
  { port: address.port, token: "" },
  { processor, resident: async () => ({ bytes: await residentBytes() }) },
);
