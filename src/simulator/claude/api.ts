import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import { type CheckOptions, checkCountRequest, checkMessageRequest } from "./check-request.ts";
import { ApiFailure, refuse } from "./errors.ts";
import type { Route } from "./faults.ts";
import { isObject } from "./fields.ts";
import type { LimitHeaders } from "./limits.ts";
import { toMessage } from "./message.ts";
import { describeModel, findModel, listModels } from "./models.ts";
import { countPromptTokens, type PromptAccount, type PromptCache, tokensLoadedBy } from "./prompt-cache.ts";
import type { MutableRecord, RequestOutcome } from "./recorder.ts";
import { type RenderedReply, renderReply } from "./render.ts";
import { type Brain, type Reply, type ScriptedReply, toReply } from "./reply.ts";
import { sendStream, sendWhole } from "./send.ts";
import type { Exchange } from "./server.ts";

export interface ApiParts {
  readonly apiKey: string;
  readonly brain: Brain;
  readonly cache: PromptCache;
  readonly limits: LimitHeaders;
  readonly chunkDelayMs: number;
  readonly maxInputTokens: number | null;
}

const apiVersions = ["2023-06-01", "2026-10-21"];
const maxScripted = 10_000;
const maxPaused = 1_000;

/** The routes of the API over its parts: check, reply, account, send. */
export class MessagesApi {
  readonly #parts: ApiParts;
  readonly #script: ScriptedReply[] = [];
  /** Digests of contents that were paused, which alone may end a request's messages. */
  readonly #paused = new Set<string>();

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  get scripted(): number {
    return this.#script.length;
  }

  script(replies: readonly ScriptedReply[]): void {
    if (this.#script.length + replies.length > maxScripted)
      throw new RangeError(`at most ${maxScripted} replies may be scripted`);
    this.#script.push(...replies);
  }

  authenticate({ headers }: IncomingMessage): void {
    const key = headers["x-api-key"] ?? headers.authorization?.match(/^Bearer +(\S+)$/i)?.[1];
    if (key === undefined || key === "") throw new ApiFailure(401, "x-api-key header is required");
    if (key !== this.#parts.apiKey) throw new ApiFailure(401, "invalid x-api-key");
    const version = headers["anthropic-version"];
    if (version === undefined) refuse("anthropic-version: header is required");
    if (!apiVersions.includes(String(version)))
      refuse(`anthropic-version: "${String(version)}" is not a valid version`);
  }

  /** Refuses a malformed message request, or notes what it asks for. */
  check(route: Route, record: MutableRecord): void {
    if (route !== "messages") return;
    const { body } = record;
    if (body === null) refuse("The request body is not valid JSON.");
    checkMessageRequest(body, this.#checkOptions(record.headers));
    record.params = body;
  }

  async answer(route: Route, exchange: Exchange): Promise<RequestOutcome> {
    switch (route) {
      case "messages":
        return this.#createMessage(exchange);
      case "count_tokens":
        return this.#countTokens(exchange);
      case "models":
        return this.#models(exchange);
      default:
        return route satisfies never;
    }
  }

  async #createMessage(exchange: Exchange): Promise<RequestOutcome> {
    const request = exchange.record.params;
    if (request === null) refuse("The request body is not valid JSON.");
    const window = this.#room(request);
    const scripted = this.#script.shift();
    const reply = scripted === undefined ? await this.#parts.brain(request) : toReply(scripted, request);
    const sent = await this.#send(exchange, request, reply, window);
    if (sent) return exchange.gone.aborted ? "aborted" : "answered";
    if (exchange.fault !== null && scripted !== undefined) this.#script.unshift(scripted);
    return "broken";
  }

  /** How many tokens the reply may have before the context window is full. */
  #room(request: MessageCreateParams): number {
    const limit = this.#parts.maxInputTokens ?? findModel(request.model).maxInputTokens;
    const tokens = countPromptTokens(request);
    if (tokens > limit) refuse(`prompt is too long: ${tokens} tokens > ${limit} maximum`);
    return limit - tokens;
  }

  async #send(
    exchange: Exchange,
    request: MessageCreateParams,
    reply: Reply,
    room: number,
  ): Promise<boolean> {
    const { response, record, gone } = exchange;
    const rendered = renderReply(reply, request, room);
    const message = toMessage(request, reply, rendered, this.#account(request, rendered));
    if (message.stop_reason === "pause_turn") this.#rememberPaused(message.content);
    this.#parts.limits.spend(message.usage.input_tokens, message.usage.output_tokens);
    record.status = 200;
    const options = {
      fault: exchange.fault ?? reply.fault ?? null,
      requestId: record.id,
      chunkDelayMs: this.#parts.chunkDelayMs,
      gone,
      breaking: () => record.end("broken"),
    };
    return request.stream === true
      ? sendStream(response, message, rendered, options)
      : sendWhole(response, message, options);
  }

  #account(request: MessageCreateParams, { blocks }: RenderedReply): PromptAccount {
    const account = this.#parts.cache.account(request);
    const loaded = tokensLoadedBy(
      request,
      blocks.map(({ whole }) => whole),
    );
    return { ...account, inputTokens: account.inputTokens + loaded };
  }

  #countTokens({ record, response }: Exchange): RequestOutcome {
    const { body } = record;
    if (body === null) refuse("The request body is not valid JSON.");
    checkCountRequest(body, this.#checkOptions(record.headers));
    return sendJson(response, { input_tokens: countPromptTokens(body) });
  }

  #models({ url, response }: Exchange): RequestOutcome {
    const id = decodeURIComponent(url.pathname.slice("/v1/models/".length));
    return sendJson(response, id === "" ? listModels(url.searchParams) : describeModel(id));
  }

  #checkOptions(headers: Readonly<Record<string, string>>): CheckOptions {
    return {
      apiVersion: headers["anthropic-version"] ?? "",
      isPaused: (content) => this.#paused.has(digest(content)),
    };
  }

  #rememberPaused(content: unknown): void {
    this.#paused.add(digest(content));
    const oldest = this.#paused.values().next().value;
    if (this.#paused.size > maxPaused && oldest !== undefined) this.#paused.delete(oldest);
  }
}

/** Of what the model said; a client may leave out fields that are null. */
function digest(content: unknown): string {
  const said = (Array.isArray(content) ? content : [content]).map((block: unknown) =>
    isObject(block) ? [block.type, block.text, block.thinking, block.id, block.input] : block,
  );
  return createHash("sha256").update(JSON.stringify(said)).digest("base64");
}

function sendJson(response: Exchange["response"], value: unknown): RequestOutcome {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
  return "answered";
}
