import type { AddressInfo } from "node:net";
import { MessagesApi } from "./api.ts";
import { demoBrain } from "./brain/demo-brain.ts";
import { Faults } from "./faults.ts";
import { Gate } from "./gate.ts";
import { LimitHeaders } from "./limits.ts";
import { PromptCache } from "./prompt-cache.ts";
import { type RecordedRequest, Recorder } from "./recorder.ts";
import type { Brain, ScriptedReply } from "./reply.ts";
import { serveApi } from "./server.ts";

export interface ClaudeSimulatorOptions {
  /** Default 0: any free port. Always on 127.0.0.1. */
  readonly port?: number;
  readonly apiKey?: string;
  /** Answers what no script answers. Default: the rule-based brain of the demo. */
  readonly brain?: Brain;
  /** Milliseconds between the events of a stream. Default 0. */
  readonly chunkDelayMs?: number;
  /** Milliseconds since 1970, for the prompt cache's time to live. */
  readonly now?: () => number;
  /** The shortest prefix that is cached. Default 32, so that short prompts show it (the API: 1,024 and more). */
  readonly minCacheTokens?: number;
  /** Default: the model's. A longer prompt is refused. */
  readonly maxInputTokens?: number;
  /** Default 32 MiB, as the API. A larger body is refused with 413. */
  readonly maxBodyBytes?: number;
}

export interface ClaudeSimulator extends AsyncDisposable {
  /** For `ANTHROPIC_BASE_URL`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The latest 1,000 requests at most, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** The first recorded request that matches, now or later. Rejects when the simulator is closed first. */
  waitForRequest(predicate: (request: RecordedRequest) => boolean): Promise<RecordedRequest>;
  /** Replies to the next `messages` requests, used before the brain is. */
  script(...replies: readonly ScriptedReply[]): void;
  /** How many scripted replies have not been used. */
  readonly scripted: number;
  readonly faults: Faults;
  /** Requests are recorded but wait until the returned function is called. */
  hold(): () => void;
}

const defaultKey = "sk-ant-simulator";
const bodyBound = 32 * 1024 * 1024;

/**
 * A Claude on loopback that speaks the Messages API, version 2026-10-21, to the real client:
 * https://platform.claude.com/docs/en/api/messages
 */
export async function startClaudeSimulator(options: ClaudeSimulatorOptions = {}): Promise<ClaudeSimulator> {
  const apiKey = options.apiKey ?? defaultKey;
  const now = options.now ?? Date.now;
  const recorder = new Recorder();
  const faults = new Faults();
  const gate = new Gate();
  const limits = new LimitHeaders(now);
  const api = new MessagesApi({
    apiKey,
    brain: options.brain ?? demoBrain,
    cache: new PromptCache(options.minCacheTokens ?? 32, now),
    limits,
    chunkDelayMs: options.chunkDelayMs ?? 0,
    maxInputTokens: options.maxInputTokens ?? null,
  });
  const server = serveApi({
    authenticate: (request) => api.authenticate(request),
    check: (route, record) => api.check(route, record),
    takeFault: (route) => faults.take(route),
    openRecord: (fields) => recorder.open(fields),
    recorded: (record) => recorder.add(record),
    pass: () => gate.pass(),
    answer: (route, exchange) => api.answer(route, exchange),
    limitHeaders: (limited) => limits.next(limited),
    maxBodyBytes: options.maxBodyBytes ?? bodyBound,
  });
  const port = await listen(server, options.port ?? 0);
  let closed: Promise<void> | undefined;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    apiKey,
    requests: recorder.requests,
    waitForRequest: (predicate) => recorder.wait(predicate),
    script: (...replies) => api.script(replies),
    get scripted() {
      return api.scripted;
    },
    faults,
    hold: () => gate.hold(),
    [Symbol.asyncDispose]() {
      closed ??= new Promise<void>((resolve) => {
        recorder.close();
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

function listen(server: ReturnType<typeof serveApi>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      const address: AddressInfo | string | null = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
