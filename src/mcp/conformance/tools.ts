import {
  type CallToolResult,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type Tool,
} from "@modelcontextprotocol/server";
import type { Exchange } from "../ports.ts";
import type { StateSeal } from "../sealed-state.ts";
import type { Arguments, Surface } from "../surface.ts";
import { png, text, wav } from "./media.ts";
import { forms, questionTools } from "./questions.ts";

type Result = CallToolResult | InputRequiredResult;
type Run = (exchange: Exchange, given: Arguments) => Result | Promise<Result>;

const stepMs = 50;

const image = { type: "image" as const, data: png, mimeType: "image/png" };
const mixed = {
  uri: "test://mixed-content-resource",
  mimeType: "application/json",
  text: JSON.stringify({ test: "data", value: 123 }),
};

/** What the suite calls, by name. https://github.com/modelcontextprotocol/conformance */
const runs: Readonly<Record<string, Run>> = {
  test_simple_text: () => ({ content: [text("This is a simple text response for testing.")] }),
  test_image_content: () => ({ content: [image] }),
  test_audio_content: () => ({ content: [{ type: "audio", data: wav, mimeType: "audio/wav" }] }),
  test_embedded_resource: () => ({
    content: [
      {
        type: "resource",
        resource: {
          uri: "test://embedded-resource",
          mimeType: "text/plain",
          text: "This is an embedded resource content.",
        },
      },
    ],
  }),
  test_multiple_content_types: () => ({
    content: [text("Multiple content types test:"), image, { type: "resource", resource: mixed }],
  }),
  test_error_handling: () => ({
    isError: true,
    content: [text("This tool intentionally returns an error for testing")],
  }),
  async test_tool_with_logging({ context }) {
    for (const words of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
      await context.mcpReq.log("info", words);
      await Bun.sleep(stepMs);
    }
    return { content: [text("The tool has logged three times.")] };
  },
  async test_logging_tool({ context }) {
    await context.mcpReq.log("info", "For those who want to hear of it");
    return { content: [text("The tool has logged for those who asked for it.")] };
  },
  async test_tool_with_progress({ context }) {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      const params = { progressToken, progress, total: 100 };
      if (progressToken !== undefined)
        await context.mcpReq.notify({ method: "notifications/progress", params });
      await Bun.sleep(stepMs);
    }
    return { content: [text("The tool has told of its progress.")] };
  },
  test_sampling(exchange, { prompt }) {
    const view = inputResponse(exchange.context.mcpReq.inputResponses, "sampled");
    if (view.kind === "sampling")
      return { content: [text(`LLM response: ${JSON.stringify(view.result.content)}`)] };
    const messages = [{ role: "user" as const, content: text(String(prompt)) }];
    return inputRequired({
      inputRequests: { sampled: inputRequired.createMessage({ messages, maxTokens: 100 }) },
    });
  },
  test_elicitation(exchange, { message }) {
    const view = inputResponse(exchange.context.mcpReq.inputResponses, "asked");
    if (view.kind === "elicit") {
      const { action, content = {} } = view;
      return { content: [text(`User response: action=${action}, content=${JSON.stringify(content)}`)] };
    }
    const asked = inputRequired.elicit({
      mode: "form",
      message: String(message),
      requestedSchema: {
        type: "object",
        properties: {
          username: { type: "string", description: "User's response" },
          email: { type: "string", description: "User's email address" },
        },
        required: ["username", "email"],
      },
    });
    return inputRequired({ inputRequests: { asked } });
  },
};

/** A schema with what JSON Schema 2020-12 brought: it must come through as it is. */
const dialect: Tool = {
  name: "json_schema_2020_12_tool",
  description: "Tool with JSON Schema 2020-12 features",
  inputSchema: {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    $defs: {
      address: {
        $anchor: "addressDef",
        type: "object",
        properties: { street: { type: "string" }, city: { type: "string" } },
      },
    },
    properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
    allOf: [{ anyOf: [{ required: ["name"] }, { required: ["address"] }] }],
    if: { required: ["address"] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ["name"] },
    else: {},
    additionalProperties: false,
  },
};

const withString: Readonly<Record<string, string>> = { test_sampling: "prompt", test_elicitation: "message" };

export function toolFixtures(states: StateSeal): Pick<Surface, "tools" | "call"> {
  const all: Readonly<Record<string, Run>> = {
    ...runs,
    ...questionTools(states),
    ...Object.fromEntries(Object.entries(forms).map(([name, form]) => [name, formRun(form)])),
    [dialect.name]: () => ({ content: [text("The schema is what counts.")] }),
  };
  const listed = Object.keys(all).map((name) => (name === dialect.name ? dialect : listedAs(name)));
  return {
    tools: () => listed,
    call(name, given, exchange) {
      const run = Object.hasOwn(all, name) ? all[name] : undefined;
      return run === undefined ? null : (async () => run(exchange, given))();
    },
  };
}

const formRun =
  (asked: InputRequest): Run =>
  ({ context }) => {
    const view = inputResponse(context.mcpReq.inputResponses, "asked");
    if (view.kind !== "elicit") return inputRequired({ inputRequests: { asked } });
    const { action, content = {} } = view;
    return { content: [text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`)] };
  };

function listedAs(name: string): Tool {
  const argument = withString[name];
  return {
    name,
    description: `For the conformance suite: ${name.replaceAll("_", " ")}.`,
    inputSchema:
      argument === undefined
        ? { type: "object", properties: {} }
        : { type: "object", properties: { [argument]: { type: "string" } }, required: [argument] },
  };
}
