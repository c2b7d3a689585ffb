import {
  type GetPromptResult,
  inputRequired,
  type Prompt,
  type ReadResourceResult,
  type Resource,
} from "@modelcontextprotocol/server";
import type { StateSeal } from "../sealed-state.ts";
import type { Surface } from "../surface.ts";
import { png, text } from "./media.ts";
import { filled, form } from "./questions.ts";
import { toolFixtures } from "./tools.ts";

const template = /^test:\/\/template\/([^/]{1,100})\/data$/;

const resources: readonly Resource[] = [
  {
    uri: "test://static-text",
    name: "static-text",
    description: "A text that does not change.",
    mimeType: "text/plain",
  },
  {
    uri: "test://static-binary",
    name: "static-binary",
    description: "A picture that does not change.",
    mimeType: "image/png",
  },
  {
    uri: "test://watched-resource",
    name: "watched-resource",
    description: "A text that can be watched.",
    mimeType: "text/plain",
  },
];

function read(uri: string): ReadResourceResult | null {
  const id = template.exec(uri)?.[1];
  if (id !== undefined) {
    const data = { id, templateTest: true, data: `Data for ID: ${id}` };
    return { contents: [{ uri, mimeType: "application/json", text: JSON.stringify(data) }] };
  }
  switch (uri) {
    case "test://static-text":
      return {
        contents: [{ uri, mimeType: "text/plain", text: "This is the content of the static text resource." }],
      };
    case "test://static-binary":
      return { contents: [{ uri, mimeType: "image/png", blob: png }] };
    case "test://watched-resource":
      return { contents: [{ uri, mimeType: "text/plain", text: "Watched." }] };
    default:
      return null;
  }
}

const argument = (name: string) => ({ name, description: `The argument ${name}.`, required: true });
const user = (content: GetPromptResult["messages"][number]["content"]) => ({
  role: "user" as const,
  content,
});

const prompts: readonly Prompt[] = [
  { name: "test_simple_prompt", description: "Takes nothing." },
  {
    name: "test_prompt_with_arguments",
    description: "Takes two arguments.",
    arguments: [argument("arg1"), argument("arg2")],
  },
  {
    name: "test_prompt_with_embedded_resource",
    description: "Holds a resource.",
    arguments: [argument("resourceUri")],
  },
  { name: "test_prompt_with_image", description: "Holds a picture." },
  { name: "test_input_required_result_prompt", description: "Asks before it is one." },
];

function promptOf(name: string, given: Readonly<Record<string, string>>): GetPromptResult | null {
  switch (name) {
    case "test_simple_prompt":
      return { messages: [user(text("This is a simple prompt for testing."))] };
    case "test_prompt_with_arguments":
      return {
        messages: [user(text(`Prompt with arguments: arg1='${given.arg1}', arg2='${given.arg2}'`))],
      };
    case "test_prompt_with_embedded_resource": {
      const resource = {
        uri: given.resourceUri ?? "",
        mimeType: "text/plain",
        text: "Embedded resource content for testing.",
      };
      return {
        messages: [
          user({ type: "resource", resource }),
          user(text("Please process the embedded resource above.")),
        ],
      };
    }
    case "test_prompt_with_image":
      return {
        messages: [
          user({ type: "image", data: png, mimeType: "image/png" }),
          user(text("Please analyze the image above.")),
        ],
      };
    default:
      return null;
  }
}

/**
 * What the conformance suite looks for, by its names, on the product's own server, routes and guards. Reachable with
 * MCP_CONFORMANCE_FIXTURES=1 alone, which is refused unless authentication is off.
 */
export function conformanceFixtures(states: StateSeal): Partial<Surface> {
  return {
    ...toolFixtures(states),
    resources: async () => resources,
    templates: () => [
      {
        uriTemplate: "test://template/{id}/data",
        name: "template",
        description: "Data of an id.",
        mimeType: "application/json",
      },
    ],
    read(uri) {
      const found = read(uri);
      return found === null ? null : Promise.resolve(found);
    },
    watch: (uri) => (uri === "test://watched-resource" ? Promise.resolve(() => {}) : null),
    prompts: () => prompts,
    prompt(name, given, exchange) {
      if (name === "test_input_required_result_prompt") {
        const context = filled(exchange, "user_context", "context");
        const asked = form("What context should the prompt use?", "context");
        return Promise.resolve(
          context === null
            ? inputRequired({ inputRequests: { user_context: asked } })
            : { messages: [user(text(`The context is ${context}.`))] },
        );
      }
      const found = promptOf(name, given);
      return found === null ? null : Promise.resolve(found);
    },
    complete({ ref, argument: { value } }) {
      if (ref.type !== "ref/prompt" || ref.name !== "test_prompt_with_arguments") return null;
      return Promise.resolve(["paris", "park", "party"].filter((word) => word.startsWith(value)));
    },
  };
}
