import { openapi } from "@elysiajs/openapi";
import type { TSchema } from "typebox";
import {
  ApproveData,
  ApproveReply,
  ErrorData,
  InitializeData,
  InitializeReply,
  ProcessData,
  ProcessReply,
  TicketReply,
  ToolCallData,
  ToolResult,
} from "../protocol/messages.ts";

/** The description of the HTTP part at `/openapi`, as JSON; a page that draws it would load scripts from elsewhere. */
export function openApi(version: string) {
  return openapi({
    provider: null,
    path: "/openapi",
    specPath: "/openapi",
    documentation: {
      info: {
        title: "discord-mcp",
        version,
        description:
          "The JSON message protocol over HTTP. WebSocket messages are described in docs/protocol.md.",
      },
      security: [{ bearer: [] }],
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", description: "An API token or a session token" },
        },
      },
    },
  });
}

const json = (schema: TSchema) => ({ "application/json": { schema: plain(schema) } });

/** TypeBox schemas are JSON Schema with hidden marks, which OpenAPI has no use for. */
function plain(schema: TSchema) {
  return JSON.parse(JSON.stringify(schema));
}

const errorSchema = JSON.parse(
  JSON.stringify({
    type: "object",
    required: ["error", "code", "data"],
    properties: { error: { type: "string" }, code: { type: "string" }, data: ErrorData },
  }),
);

const failure = (description: string) => ({
  description,
  content: { "application/json": { schema: errorSchema } },
});

const failures = {
  400: failure("The body is not what it should be"),
  401: failure("No valid token"),
  403: failure("The token may not do this"),
  404: failure("No such session, tool or approval"),
  409: failure("It has to be approved first, or does not fit what was sent before"),
  413: failure("More than 64 KiB"),
  429: failure("Too often; see Retry-After"),
  503: failure("Not available now"),
};

function described(summary: string, reply: TSchema, body?: TSchema) {
  return {
    detail: {
      summary,
      ...(body === undefined ? {} : { requestBody: { required: true, content: json(body) } }),
      responses: { 200: { description: "Done", content: json(reply) }, ...failures },
    },
  };
}

export const descriptions = {
  initialize: described("Open a session, or find it again", InitializeReply, InitializeData),
  toolCall: described("Call a tool as the session's user", ToolResult, ToolCallData),
  approve: described("Say yes or no to a call that waits for it", ApproveReply, ApproveData),
  ticket: described("A single-use ticket for a browser's WebSocket", TicketReply),
  process: {
    detail: {
      summary: "Send a message and wait for the answer",
      description: "With `Accept: text/event-stream` the turn's events come as they happen, the answer last.",
      requestBody: { required: true, content: json(ProcessData) },
      responses: {
        200: {
          description: "The answer",
          content: { ...json(ProcessReply), "text/event-stream": { schema: plain({ type: "string" }) } },
        },
        ...failures,
      },
    },
  },
  plain: (summary: string) => ({ detail: { summary } }),
  open: (summary: string) => ({ detail: { summary, security: [] } }),
  hidden: { detail: { hide: true } },
};
