import {
  type CallToolResult,
  type InputRequest,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  MissingRequiredClientCapabilityError,
} from "@modelcontextprotocol/server";
import { boundTo } from "../approvals.ts";
import { declaredCapabilities } from "../capabilities.ts";
import type { Exchange } from "../ports.ts";
import type { StateSeal } from "../sealed-state.ts";
import { text } from "./media.ts";

type Run = (exchange: Exchange) => CallToolResult | InputRequiredResult;

/** A form of one field. */
export const form = (message: string, field: string, type: "string" | "boolean" = "string"): InputRequest =>
  inputRequired.elicit({
    mode: "form",
    message,
    requestedSchema: {
      type: "object",
      properties: { [field]: type === "string" ? { type: "string" } : { type: "boolean" } },
      required: [field],
    },
  });

const sampling = (words: string, maxTokens: number): InputRequest =>
  inputRequired.createMessage({ messages: [{ role: "user", content: text(words) }], maxTokens });

const said = ({ context }: Exchange, key: string) => inputResponse(context.mcpReq.inputResponses, key);

/** What a form was filled in with; null when it was not, or not with this. */
export function filled(exchange: Exchange, key: string, field: string): string | null {
  const view = said(exchange, key);
  const value = view.kind === "elicit" && view.action === "accept" ? view.content?.[field] : undefined;
  return value === undefined ? null : String(value);
}

/** Tools of SEP-2322, by which the conformance suite looks at questions that a result asks. */
export function questionTools(states: StateSeal): Readonly<Record<string, Run>> {
  const sealed = ({ caller }: Exchange, round: number): string =>
    states.seal(
      { approvalId: `round ${round}`, turnId: null, expiresAt: Number.MAX_SAFE_INTEGER },
      boundTo(caller),
    );
  const roundOf = ({ context }: Exchange): number =>
    Number(context.mcpReq.requestState<{ approvalId: string }>()?.approvalId.split(" ")[1] ?? 0);
  const done = (words: string): CallToolResult => ({ content: [text(words)] });
  const ask = (inputRequests: InputRequests, requestState?: string) =>
    inputRequired({ inputRequests, ...(requestState === undefined ? {} : { requestState }) });
  const name = () => form("What is your name?", "name");

  const confirm: Run = (exchange) =>
    roundOf(exchange) === 1 && filled(exchange, "confirm", "ok") !== null
      ? done("state-ok")
      : ask({ confirm: form("Please confirm", "ok", "boolean") }, sealed(exchange, 1));

  return {
    test_input_required_result_elicitation(exchange) {
      const given = filled(exchange, "user_name", "name");
      return given === null ? ask({ user_name: name() }) : done(`Hello, ${given}!`);
    },
    test_input_required_result_sampling(exchange) {
      const view = said(exchange, "capital_question");
      return view.kind === "sampling"
        ? done(JSON.stringify(view.result.content))
        : ask({ capital_question: sampling("What is the capital of France?", 100) });
    },
    test_input_required_result_list_roots(exchange) {
      const view = said(exchange, "client_roots");
      return view.kind === "roots"
        ? done(view.roots.map(({ uri }) => uri).join(", "))
        : ask({ client_roots: inputRequired.listRoots() });
    },
    test_input_required_result_request_state: confirm,
    test_input_required_result_tampered_state: confirm,
    test_input_required_result_multiple_inputs(exchange) {
      const all = ["user_name", "greeting", "client_roots"].every(
        (key) => said(exchange, key).kind !== "missing",
      );
      if (all && roundOf(exchange) === 1) return done("All three were answered.");
      const inputRequests = {
        user_name: name(),
        greeting: sampling("Generate a greeting", 50),
        client_roots: inputRequired.listRoots(),
      };
      return ask(inputRequests, sealed(exchange, 1));
    },
    test_input_required_result_multi_round(exchange) {
      const round = roundOf(exchange);
      if (round === 2 && filled(exchange, "step2", "color") !== null)
        return done("Both steps were answered.");
      return round >= 1 && (round === 2 || filled(exchange, "step1", "name") !== null)
        ? ask({ step2: form("Step 2: What is your favorite color?", "color") }, sealed(exchange, 2))
        : ask({ step1: form("Step 1: What is your name?", "name") }, sealed(exchange, 1));
    },
    test_input_required_result_capabilities(exchange) {
      const declared = declaredCapabilities(exchange.context);
      const inputRequests: InputRequests = {
        ...(declared.has("elicitation") ? { user_name: name() } : {}),
        ...(declared.has("sampling") ? { greeting: sampling("Generate a greeting", 50) } : {}),
      };
      return Object.keys(inputRequests).length === 0
        ? done("There is nothing to ask with.")
        : ask(inputRequests);
    },
    test_missing_capability({ context }) {
      if (declaredCapabilities(context).has("sampling")) return done("The client can sample.");
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
    },
    test_streaming_elicitation(exchange) {
      const given = filled(exchange, "user_name", "name");
      return given === null ? ask({ user_name: name() }) : done(`Hello, ${given}!`);
    },
  };
}

const titles = (prefix: string, names: readonly string[]) =>
  names.map((title, index) => ({ const: `${prefix}${index + 1}`, title }));

/** Forms that the suite looks at in the older revisions: SEP-1034 and SEP-1330. */
export const forms: Readonly<Record<string, InputRequest>> = {
  test_elicitation_sep1034_defaults: inputRequired.elicit({
    mode: "form",
    message: "Please review the defaults.",
    requestedSchema: {
      type: "object",
      properties: {
        name: { type: "string", default: "John Doe" },
        age: { type: "integer", default: 30 },
        score: { type: "number", default: 95.5 },
        status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
        verified: { type: "boolean", default: true },
      },
    },
  }),
  test_elicitation_sep1330_enums: inputRequired.elicit({
    mode: "form",
    message: "Please choose.",
    requestedSchema: {
      type: "object",
      properties: {
        untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
        titledSingle: {
          type: "string",
          oneOf: titles("value", ["First Option", "Second Option", "Third Option"]),
        },
        legacyEnum: {
          type: "string",
          enum: ["opt1", "opt2", "opt3"],
          enumNames: ["Option One", "Option Two", "Option Three"],
        },
        untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
        titledMulti: {
          type: "array",
          items: { anyOf: titles("value", ["First Choice", "Second Choice", "Third Choice"]) },
        },
      },
    },
  }),
};
