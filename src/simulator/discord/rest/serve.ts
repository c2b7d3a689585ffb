import type { Journal } from "../journal.ts";
import { isRecord } from "../json.ts";
import type { RestReply, RestServices, Route } from "./context.ts";
import { DiscordError, invalidForm, unauthorized } from "./errors.ts";
import { type Planted, type RestFaults, usualBody, usualHeaders } from "./faults.ts";
import type { RateLimits } from "./rate-limits.ts";
import { decodePath, Router } from "./router.ts";

/** One request and what was answered. */
export interface Exchange {
  readonly method: string;
  /** Decoded, without /api/v10. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** 0 when no answer reached the client. */
  readonly status: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly response: unknown;
  /** Whether a planted fault made the answer: what Discord really would say is then not in it. */
  readonly isFault: boolean;
}

const versioned = /^\/api\/v10(?=\/)/;
const bodyBytes = 10 * 1024 * 1024;

interface Reading {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: unknown;
}

interface Answer extends RestReply {
  readonly headers: Record<string, string>;
}

export class RestServer {
  readonly #router: Router;
  readonly #services: RestServices;
  readonly #token: () => string;
  readonly #limits: RateLimits;
  readonly #faults: RestFaults;
  readonly #journal: Journal<Exchange>;
  readonly #now: () => number;

  constructor(
    routes: readonly Route[],
    parts: {
      services: RestServices;
      token: () => string;
      limits: RateLimits;
      faults: RestFaults;
      journal: Journal<Exchange>;
      now: () => number;
    },
  ) {
    this.#router = new Router(routes);
    this.#services = parts.services;
    this.#token = parts.token;
    this.#limits = parts.limits;
    this.#faults = parts.faults;
    this.#journal = parts.journal;
    this.#now = parts.now;
  }

  async serve(request: Request): Promise<Response> {
    const { pathname, searchParams: query } = new URL(request.url);
    let reading: Reading = {
      method: request.method,
      path: pathname,
      query,
      headers: request.headers,
      body: undefined,
    };
    let answer: Answer;
    try {
      if (!versioned.test(pathname)) throw new DiscordError(404, 0, "404: Not Found");
      reading = { ...reading, path: decodePath(pathname.replace(versioned, "")) };
      reading = { ...reading, body: await readBody(request) };
      const fault = this.#faults.find(reading.method, reading.path);
      if (fault !== null) return await this.#disturb(fault, reading, request.signal);
      answer = this.#answer(reading);
    } catch (error) {
      answer = failure(error, {});
    }
    return this.#finish(reading, answer, false);
  }

  #answer(reading: Reading): Answer {
    let headers: Record<string, string> = {};
    try {
      const { route, params, major } = this.#router.match(reading.method, reading.path);
      const isAuthorized = route.authorized ?? true;
      if (isAuthorized && reading.headers.get("authorization") !== `Bot ${this.#token()}`)
        throw unauthorized();
      const verdict = this.#limits.take(`${route.method} ${route.pattern}`, major, isAuthorized);
      headers = verdict.headers;
      if (verdict.refusal !== null) {
        const { retryAfterSeconds, isGlobal } = verdict.refusal;
        const message = "You are being rate limited.";
        return {
          status: 429,
          headers,
          body: { message, code: 0, retry_after: retryAfterSeconds, global: isGlobal },
        };
      }
      const param = (name: string) => params[name] ?? "";
      return { ...route.handle({ ...this.#services, ...reading, param }), headers };
    } catch (error) {
      return failure(error, headers);
    }
  }

  async #disturb(planted: Planted, reading: Reading, signal: AbortSignal): Promise<Response> {
    const { fault } = planted;
    if (fault.respond === "hold") {
      await planted.released();
      return this.#finish(reading, this.#answer(reading), false);
    }
    const effect = fault.afterEffect ? this.#answer(reading) : null;
    if (fault.respond === "timeout") {
      this.#record(reading, { status: 0, headers: {} }, true);
      await Promise.race([planted.released(), aborted(signal)]);
      return new Response(null, { status: 504 });
    }
    if (fault.respond === "reset" || fault.respond === "half") {
      this.#record(reading, { status: 0, headers: {} }, true);
      return cutOff(fault.respond === "half" ? JSON.stringify(effect?.body ?? { message: "cut" }) : null);
    }
    const answer = {
      status: fault.respond,
      body: fault.body ?? usualBody(fault.respond),
      headers: { ...usualHeaders(fault.respond), ...fault.headers },
    };
    return this.#finish(reading, answer, true);
  }

  #finish(reading: Reading, answer: Answer, isFault: boolean): Response {
    this.#record(reading, answer, isFault);
    const { status } = answer;
    const headers = { ...answer.headers, date: new Date(this.#now()).toUTCString() };
    if (answer.body === undefined || status === 204) return new Response(null, { status, headers });
    return new Response(JSON.stringify(answer.body), {
      status,
      headers: { ...headers, "content-type": "application/json" },
    });
  }

  #record(reading: Reading, answer: Answer, isFault: boolean): void {
    const { authorization: _secret, ...headers } = Object.fromEntries(reading.headers);
    this.#journal.add({
      method: reading.method,
      path: reading.path,
      query: readQuery(reading.query),
      headers,
      body: reading.body,
      status: answer.status,
      responseHeaders: answer.headers,
      response: answer.body,
      isFault,
    });
  }
}

async function readBody(request: Request): Promise<unknown> {
  if (request.method === "GET" || request.method === "DELETE" || request.body === null) return undefined;
  if (request.headers.get("content-type")?.includes("multipart/form-data")) return readUpload(request);
  const text = await request.text();
  if (text.length > bodyBytes) throw new DiscordError(413, 40_005, "Request entity too large");
  if (text === "") return undefined;
  if (!request.headers.get("content-type")?.includes("application/json")) {
    throw invalidForm({
      _form: {
        _errors: [
          {
            code: "CONTENT_TYPE_INVALID",
            message: 'Expected "Content-Type" header to be one of {"application/json"}.',
          },
        ],
      },
    });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new DiscordError(400, 50_109, "The request body contains invalid JSON.");
  }
}

/** The fields of `payload_json`, and the files: https://discord.com/developers/docs/reference#uploading-files */
async function readUpload(request: Request): Promise<unknown> {
  const parts = await request.formData();
  const files = [...parts].flatMap(([field, file]) => (typeof file === "string" ? [] : [{ field, file }]));
  if (files.reduce((sum, { file }) => sum + file.size, 0) > bodyBytes)
    throw new DiscordError(413, 40_005, "Request entity too large");
  const payload: unknown = JSON.parse(String(parts.get("payload_json") ?? "{}"));
  const read = files.map(async ({ field, file }) => ({
    ...{ field, filename: file.name, content_type: file.type, size: file.size, text: await file.text() },
  }));
  return { ...(isRecord(payload) ? payload : {}), files: await Promise.all(read) };
}

function readQuery(query: URLSearchParams): Record<string, string | string[]> {
  return Object.fromEntries(
    [...new Set(query.keys())].map((name) => {
      const values = query.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? "") : values];
    }),
  );
}

function failure(error: unknown, headers: Record<string, string>): Answer {
  if (error instanceof DiscordError) return { status: error.status, body: error.body, headers };
  throw error;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** A body that breaks off: Bun then cuts the connection. Without a first part not even the headers arrive. */
function cutOff(json: string | null): Response {
  const start = json?.slice(0, Math.ceil(json.length / 2)) ?? null;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (start !== null) controller.enqueue(new TextEncoder().encode(start));
      await Bun.sleep(1);
      controller.error(new Error("Cut off by a planted fault"));
    },
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}
