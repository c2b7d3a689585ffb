import Anthropic, { APIError } from "@anthropic-ai/sdk";
import type { Config } from "../config.ts";

/** Whether the key works and the model exists, without spending a token. `advice` says what to do otherwise. */
export interface ModelFinding {
  readonly name: "Claude";
  readonly state: "ok" | "warning" | "failed";
  readonly says: string;
  readonly advice?: string;
}

const timeoutMs = 10_000;

export async function checkModel(config: Config["model"]): Promise<ModelFinding> {
  if (config.apiKey === null) {
    return {
      name: "Claude",
      state: "warning",
      says: "ANTHROPIC_API_KEY is not set: every turn fails with model_unavailable",
      advice: "Make a key in the Anthropic console and set ANTHROPIC_API_KEY.",
    };
  }
  const client = new Anthropic({
    apiKey: config.apiKey,
    baseURL: config.baseUrl,
    maxRetries: 0,
    timeout: timeoutMs,
  });
  try {
    const model = await client.models.retrieve(config.name);
    return { name: "Claude", state: "ok", says: `the key works and ${model.id} is there` };
  } catch (error) {
    return { name: "Claude", state: "failed", ...explain(error, config.name) };
  }
}

function explain(error: unknown, model: string): { says: string; advice: string } {
  const status = error instanceof APIError ? error.status : undefined;
  if (status === 401 || status === 403) {
    return {
      says: "the key is not accepted",
      advice: "Make a new key in the Anthropic console and set ANTHROPIC_API_KEY.",
    };
  }
  if (status === 404) {
    return {
      says: `there is no model ${model} for this key`,
      advice: "Set ANTHROPIC_MODEL to a current model.",
    };
  }
  return {
    says: `Claude could not be asked (${status === undefined ? reasonOf(error) : `status ${status}`})`,
    advice: "Check the connection, a proxy or firewall, and ANTHROPIC_BASE_URL.",
  };
}

/** What the client wraps: a name that is not known, a certificate that is not trusted, a time-out. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "no connection";
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
