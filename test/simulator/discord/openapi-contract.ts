import Ajv2020, { type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Exchange } from "../../../src/simulator/discord/rest/serve.ts";
import description from "../../fixtures/discord-openapi.json";

/** What does not fit Discord's OpenAPI description, and where. */
export interface Violation {
  readonly route: string;
  readonly where: "route" | "query" | "request" | "response";
  readonly problem: string;
}

export interface Contract {
  /** Filled as requests are made; a suite ends by expecting it to be empty. */
  readonly violations: readonly Violation[];
  /** Exchanges that were checked. */
  readonly checked: number;
}

/** Anything whose exchanges can be listened to: a Discord simulator. */
export interface Observable {
  onExchange(listener: (exchange: Exchange) => void): () => void;
}

type Json = { readonly [key: string]: Json } | readonly Json[] | string | number | boolean | null;
type JsonObject = { readonly [key: string]: Json };

interface Operation {
  readonly parts: readonly string[];
  readonly name: string;
  /** JSON pointer to the operation, escaped. */
  readonly pointer: string;
  readonly definition: JsonObject;
}

const id = "discord";

/**
 * Where the description and what Discord documents or does part; each says why.
 * - `_errors[].code` is a name such as BASE_TYPE_MAX_LENGTH, though described as a number:
 *   https://discord.com/developers/docs/reference#error-messages
 * - sets of permission bits are sent as strings, though described as numbers in requests:
 *   https://discord.com/developers/docs/topics/permissions
 */
function amended(): object {
  const document = structuredClone(description) as {
    components: { schemas: Record<string, { properties?: Record<string, object> }> };
  };
  const { schemas } = document.components;
  const inner = schemas.InnerErrors?.properties;
  if (inner !== undefined) {
    const item = {
      type: "object",
      properties: { code: { type: "string" }, message: { type: "string" } },
      required: ["code", "message"],
    };
    inner._errors = { type: "array", items: item };
  }
  acceptBitStrings(document);
  return { ...document, $id: id };
}

const bitSets = ["allow", "deny", "permissions", "default_member_permissions"];

function acceptBitStrings(node: unknown): void {
  if (typeof node !== "object" || node === null) return;
  for (const [name, value] of Object.entries(node)) {
    const isBits = bitSets.includes(name) && typeof value === "object" && value !== null && "type" in value;
    if (isBits && [value.type].flat().includes("integer")) value.type = ["string", "integer", "null"];
    else acceptBitStrings(value);
  }
}

const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true, discriminator: false });
addFormats(ajv);
ajv.addFormat("snowflake", /^(0|[1-9][0-9]{0,19})$/);
ajv.addFormat("nonce", true);
ajv.addSchema(amended());

const operations = listOperations();
const validators = new Map<string, ValidateFunction>();

/** Checks every exchange of a simulator from now on. Answers of planted faults are not Discord's, so only their requests are checked. */
export function attachContract(simulator: Observable, allowedRoutes: readonly RegExp[] = []): Contract {
  const violations: Violation[] = [];
  let checked = 0;
  simulator.onExchange((exchange) => {
    checked += 1;
    const operation = operations.get(exchange.method)?.find((one) => fits(one, exchange.path));
    if (operation === undefined) {
      const isAllowed = allowedRoutes.some((allowed) => allowed.test(exchange.path));
      if (!isAllowed)
        violations.push({
          route: `${exchange.method} ${exchange.path}`,
          where: "route",
          problem: "not in the description",
        });
      return;
    }
    violations.push(...checkExchange(operation, exchange));
  });
  return {
    violations,
    get checked() {
      return checked;
    },
  };
}

/** A wrong request that was refused is right: the simulator has to say no to it. */
function checkExchange(operation: Operation, exchange: Exchange): Violation[] {
  const wasAccepted = exchange.status >= 200 && exchange.status < 300;
  const violations: Violation[] = [];
  const add = (where: Violation["where"], problem: string | null) => {
    if (problem !== null) violations.push({ route: operation.name, where, problem });
  };
  if (wasAccepted && !exchange.isFault) {
    add("query", checkQuery(operation, exchange));
    add("request", checkRequest(operation, exchange.body));
  }
  if (!exchange.isFault && exchange.status !== 0) add("response", checkResponse(operation, exchange));
  return violations;
}

function checkQuery(operation: Operation, exchange: Exchange): string | null {
  const parameters = (operation.definition.parameters ?? []) as readonly JsonObject[];
  for (const [name, value] of Object.entries(exchange.query)) {
    const at = parameters.findIndex((one) => one.in === "query" && one.name === name);
    if (at < 0) return `${name} is no parameter`;
    const pointer = `${operation.pointer}/parameters/${at}/schema`;
    const problem = checkText(pointer, value);
    if (problem !== null) return `${name}: ${problem}`;
  }
  const missing = parameters.find(
    (one) => one.in === "query" && one.required === true && !(String(one.name) in exchange.query),
  );
  return missing === undefined ? null : `${String(missing.name)} is missing`;
}

function checkRequest(operation: Operation, body: unknown): string | null {
  const definition = operation.definition.requestBody as JsonObject | undefined;
  if (definition === undefined) return body === undefined ? null : "a body where none belongs";
  // Discord takes a DELETE without a body, whatever the description says.
  if (body === undefined)
    return definition.required === true && !operation.name.startsWith("DELETE") ? "no body" : null;
  const content = `${operation.pointer}/requestBody/content`;
  const upload = uploadIn(body);
  if (upload === null) return check(`${content}/application~1json/schema`, body);
  const [stranger] = upload.fields.filter((field) => !/^files\[[0-9]\]$/.test(field));
  if (stranger !== undefined) return `${stranger} is no field of a file`;
  const fields = Object.fromEntries(upload.fields.map((field) => [field, ""]));
  return check(`${content}/multipart~1form-data/schema`, { ...upload.payload, ...fields });
}

/** The parts of a body with files, as the simulator writes it down: the payload, and the fields that the files came in. */
function uploadIn(body: unknown): { readonly payload: object; readonly fields: readonly string[] } | null {
  if (typeof body !== "object" || body === null || !("files" in body) || !Array.isArray(body.files))
    return null;
  const { files, ...payload } = body;
  return { payload, fields: files.map((file: { readonly field?: unknown }) => String(file.field)) };
}

function checkResponse(operation: Operation, { status, response }: Exchange): string | null {
  const responses = operation.definition.responses as JsonObject;
  const key = String(status) in responses ? String(status) : status >= 400 && status < 500 ? "4XX" : null;
  if (key === null) return `status ${status} is not described`;
  const described = responses[key] as JsonObject;
  if (typeof described.$ref === "string") {
    return check(`${described.$ref.replace("#", "")}/content/application~1json/schema`, response);
  }
  if (described.content === undefined) return response === undefined ? null : `a body with status ${status}`;
  return check(`${operation.pointer}/responses/${key}/content/application~1json/schema`, response);
}

/** Compiles a schema of the description at its first use: all of them would take seconds. */
function check(pointer: string, value: unknown): string | null {
  let validate = validators.get(pointer);
  if (validate === undefined) {
    validate = ajv.compile({ $ref: `${id}#${encodeURI(pointer)}` });
    validators.set(pointer, validate);
  }
  // Absent and undefined are the same on the wire.
  if (validate(value === undefined ? undefined : JSON.parse(JSON.stringify(value)))) return null;
  return ajv.errorsText(validate.errors, { dataVar: "body" }).slice(0, 500);
}

/** A query is text; what it stands for is what the schema accepts: a list, a text, a number or a truth value. */
function checkText(pointer: string, value: string | readonly string[]): string | null {
  if (typeof value !== "string") return check(pointer, value);
  const readings: unknown[] = [value, [value]];
  if (/^-?\d+$/.test(value)) readings.unshift(Number(value));
  if (value === "true" || value === "false") readings.unshift(value === "true");
  const problems = readings.map((reading) => check(pointer, reading));
  return problems.includes(null) ? null : (problems[0] ?? null);
}

function listOperations(): Map<string, Operation[]> {
  const byMethod = new Map<string, Operation[]>();
  for (const [path, item] of Object.entries(description.paths as unknown as Record<string, JsonObject>)) {
    for (const method of ["get", "post", "put", "patch", "delete"]) {
      const definition = item[method];
      if (definition === undefined) continue;
      const pointer = `/paths/${path.replaceAll("~", "~0").replaceAll("/", "~1")}/${method}`;
      const operation = {
        parts: path.split("/"),
        name: `${method.toUpperCase()} ${path}`,
        pointer,
        definition: definition as JsonObject,
      };
      const same = byMethod.get(method.toUpperCase()) ?? [];
      same.push(operation);
      same.sort((a, b) => a.parts.filter(isParameter).length - b.parts.filter(isParameter).length);
      byMethod.set(method.toUpperCase(), same);
    }
  }
  return byMethod;
}

function fits(operation: Operation, path: string): boolean {
  const parts = path.split("/");
  return (
    parts.length === operation.parts.length &&
    operation.parts.every((part, at) => isParameter(part) || part === parts[at])
  );
}

function isParameter(part: string): boolean {
  return part.startsWith("{");
}
