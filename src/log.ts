import { AsyncLocalStorage } from "node:async_hooks";
import { join } from "node:path";
import {
  configure,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type LogRecord,
  reset,
} from "@logtape/logtape";
import type { Config } from "./config.ts";
import { patientOutput } from "./log/patient-output.ts";

const log = getLogger(["discord-mcp", "log"]);

export interface LoggingOptions {
  readonly level: Config["log"]["level"];
  readonly format: Config["log"]["format"];
  /** Receives each finished line, its line break included. Default: standard error, so that stdout stays free for protocols. */
  readonly sink?: (line: string) => void;
}

/** The files that a service that nobody watches has logged to; the first is the one that it writes. */
export function serviceLogs(dataDir: string): readonly [string, string] {
  const path = join(dataDir, "mcp-service.log");
  return [path, `${path}.1`];
}

/** Of the latest configuration. */
let format = formatter("text");

/** A line about what nothing has caught, in the format of the log. Its writer has no time to wait for anything. */
export function lastWords(error: unknown): string {
  const sentence =
    "a fault that nothing has caught ends the process; the next one goes on from what is stored";
  return lineOf({
    ...{ category: ["discord-mcp"], level: "fatal", timestamp: Date.now(), properties: { error } },
    ...{ message: [sentence], rawMessage: sentence },
  });
}

const lineOf = (record: LogRecord): string => `${redact(oneLine(format(record).trimEnd()))}\n`;

/**
 * Configures logging for the process; the latest call wins. `withContext({ request_id, turn_id }, …)` of
 * LogTape adds ids to every line that is logged inside, across awaits.
 * Dispose to flush and to take the configuration back.
 */
export async function configureLogging(options: LoggingOptions): Promise<AsyncDisposable> {
  const { write, flush } = options.sink ? { write: options.sink, flush: async () => {} } : standardError();
  format = formatter(options.format);
  const sink = (record: LogRecord) => write(lineOf(record));
  await configure({
    reset: true,
    contextLocalStorage: new AsyncLocalStorage<Record<string, unknown>>(),
    sinks: { out: sink },
    loggers: [
      { category: ["discord-mcp"], sinks: ["out"], lowestLevel: options.level },
      { category: ["logtape", "meta"], sinks: ["out"], lowestLevel: "warning" },
    ],
  });
  return {
    async [Symbol.asyncDispose]() {
      await reset();
      await flush();
    },
  };
}

function formatter(format: Config["log"]["format"]) {
  if (format === "json")
    return getJsonLinesFormatter({ properties: "flatten", message: "rendered", categorySeparator: "." });
  return getTextFormatter({
    timestamp: "rfc3339",
    level: "FULL",
    category: ".",
    value: "bare",
    format: ({ timestamp, level, category, message, record }) =>
      `${timestamp} ${level.padEnd(7)} ${category} ${message}${describe(record.properties)}`,
  });
}

function describe(properties: Record<string, unknown>): string {
  let text = "";
  for (const [name, value] of Object.entries(properties)) text += ` ${name}=${show(value)}`;
  return text;
}

/**
 * What clients send must not look like a second line, nor steer a terminal (U+009B begins a sequence as ESC [ does),
 * nor turn the direction in which the line is read.
 */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (control) => {
    const escaped = JSON.stringify(control).slice(1, -1);
    return escaped === control ? `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}` : escaped;
  });
}

function show(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.stack ?? `${value.name}: ${value.message}`);
  if (typeof value === "string") return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
  try {
    return JSON.stringify(value, (_name, inner) => (typeof inner === "bigint" ? `${inner}` : inner)) ?? "-";
  } catch {
    return "[unprintable]";
  }
}

/** A log that nobody reads, as of a pipe that has stalled, must not fill the memory. */
function standardError() {
  return patientOutput(Bun.stderr.writer(), (lines) =>
    log.warn("lines were left out of the log, since it was not read", { lines }),
  );
}

/** Values of fields that are named like secrets, in JSON and in `name=value`. Looked for once a word, not once a letter. */
const namedSecret =
  /((?<![\w-])"?[\w-]*(?:token|secret(?:[-_]?key(?:[-_]?previous)?)?|password|passwd|authorization|api[-_]?key|private[-_]?key|cookie|ticket)"?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|[^\s",}\]]+)/gi;

/** Fields whose names sound like secrets and that hold numbers or ids of things. */
const harmless = /(?:token_id|tokenid|tokens|[_-]tokens?_count)"?\s*[:=]\s*$/i;

/** Where a word begins: the letter of an escaped line break before it is no part of it. */
const start = String.raw`(?:(?<![\w-])|(?<=\\[bfnrt]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}))`;
const shape = (pattern: string, flags = ""): RegExp => new RegExp(start + pattern, `g${flags}`);

const shapes: readonly RegExp[] = [
  // our own API and session tokens and tickets
  /dmc[a-z]{1,2}_[\w.-]{8,}/g,
  // Anthropic keys, and keys of the same make
  shape("sk-[A-Za-z0-9_-]{12,}"),
  // Discord bot tokens: base64 of the user id, a timestamp, an HMAC
  shape(String.raw`[A-Za-z0-9_-]{23,30}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}`),
  // JSON web tokens
  shape(String.raw`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}`),
  shape(String.raw`(?:Bearer|Bot|Basic)\s+[A-Za-z0-9._~+/=-]{16,}`),
  // interaction and webhook tokens stand in the path
  /(?<=\/(?:webhooks|interactions)\/\d{1,20}\/)[\w-]{20,}/g,
  // 32 bytes or more of hexadecimal: keys, digests of tokens
  shape(String.raw`[0-9a-f]{64,}\b`, "i"),
];

const mask = "[redacted]";

/**
 * The last line of defence: nothing that looks like a token or key leaves in a log line, whoever logged it.
 * Callers still must not log secrets; what looks like nothing in particular cannot be recognised here.
 */
export function redact(line: string): string {
  let clean = line;
  for (const shape of shapes) clean = clean.replace(shape, mask);
  return clean.replace(namedSecret, (whole, name: string, value: string) => {
    if (
      value.startsWith(mask.slice(0, -1)) ||
      harmless.test(name) ||
      /^(?:null|true|false|\d+(?:\.\d+)?)$/.test(value)
    )
      return whole;
    return `${name}${value.startsWith('"') ? `"${mask}"` : mask}`;
  });
}
