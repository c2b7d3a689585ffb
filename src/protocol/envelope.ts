import { AppError } from "../errors.ts";
import { type Envelope, type ErrorReply, idLength, type RequestType, requestTypes } from "./messages.ts";
import { errorReply } from "./wire.ts";

/** Bytes of a frame or a body that are looked at; more is answered with an error. */
export const frameBytes = 64 * 1024;
/** Bytes beyond which a socket is closed with 1009 instead of answered. */
export const closingFrameBytes = 1024 * 1024;
/** Arrays and objects inside one another. */
export const depthBound = 32;

export interface Refused {
  readonly ok: false;
  readonly reply: ErrorReply;
}
export type Parsed = { readonly ok: true; readonly envelope: Envelope } | Refused;

const known: ReadonlySet<string> = new Set(requestTypes);
const isRequestType = (type: string): type is RequestType => known.has(type);

/** A text frame, parsed; or the error to answer with, under the request's id where one can be found. Never throws. */
export function parseFrame(frame: string): Parsed {
  let value: unknown;
  try {
    value = parseJson(frame);
  } catch (error) {
    return refuse(asAppError(error), frame.length <= closingFrameBytes ? findId(frame) : "");
  }
  return parseEnvelope(value);
}

/** Bytes of a JSON text: the same, with `invalid_encoding` for what is no UTF-8. */
export function parseBytes(bytes: Uint8Array): unknown {
  if (bytes.byteLength > frameBytes) throw tooLarge();
  return parseJson(decode(bytes));
}

/** What a binary frame is answered with. */
export function binaryFrame(): Refused {
  return refuse(
    new AppError("binary_frame", "Binary frames are not understood; send the JSON as a text frame."),
    "",
  );
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new AppError("invalid_encoding", "This is not valid UTF-8; send JSON encoded as UTF-8.");
  }
}

/** Throws AppError `invalid_json` or `payload_too_large`. */
function parseJson(text: string): unknown {
  // Three bytes is the most that UTF-8 needs for a UTF-16 unit: only long texts have to be counted.
  if (text.length * 3 > frameBytes && Buffer.byteLength(text) > frameBytes) throw tooLarge();
  const value = parseAny(text);
  if (value === undefined)
    throw new AppError("invalid_json", "This is not valid JSON; send one JSON object.");
  if (deeperThan(value, depthBound))
    throw new AppError(
      "payload_too_large",
      `This is nested too deeply; at most ${depthBound} levels are allowed.`,
      {
        data: { max_depth: depthBound },
      },
    );
  return value;
}

function parseAny(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function tooLarge(): AppError {
  return new AppError("payload_too_large", "This is too large; at most 64 KiB are allowed.", {
    data: { max_bytes: frameBytes },
  });
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((inner) => deeperThan(inner, levels - 1));
  if (isRecord(value)) for (const key in value) if (deeperThan(value[key], levels - 1)) return true;
  return false;
}

function parseEnvelope(value: unknown): Parsed {
  if (!isRecord(value)) return invalid("", "", "An envelope is a JSON object with type, id and data.");
  const { type, id, data, metadata } = value;
  if (type === undefined && value.jsonrpc !== undefined) return refuse(otherDialect(), idText(id));
  if (typeof id !== "string" || id.length === 0 || id.length > idLength)
    return invalid("id", "", `The field id must be a string of 1 to ${idLength} characters.`);
  if (typeof type !== "string") return invalid("type", id, "The field type must be a string.");
  if (metadata !== undefined && !isRecord(metadata))
    return invalid("metadata", id, "The field metadata must be an object when it is there.");
  if (!isRequestType(type)) return refuse(unknownType(), id, metadata);
  if (!isRecord(data)) return invalid("data", id, "The field data must be an object.", metadata);
  return { ok: true, envelope: { type, id, data, metadata } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function otherDialect(): AppError {
  return new AppError(
    "wrong_protocol",
    "This is JSON-RPC, and this connection speaks the JSON message protocol: send type, id and data.",
  );
}

/** JSON-RPC's ids may be numbers; the asker looks for its own. */
const idText = (id: unknown): string =>
  (typeof id === "string" || typeof id === "number") && `${id}`.length <= idLength ? `${id}` : "";

function unknownType(): AppError {
  return new AppError("unknown_type", `This type is not known; use one of ${requestTypes.join(", ")}.`, {
    data: { known: requestTypes },
  });
}

function invalid(path: string, id: string, sentence: string, metadata?: Envelope["metadata"]): Parsed {
  return refuse(new AppError("invalid_envelope", sentence, { data: { path } }), id, metadata);
}

function refuse(error: AppError, id: string, metadata?: Envelope["metadata"]): Refused {
  return { ok: false, reply: errorReply(error, id, metadata) };
}

function asAppError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError("invalid_json", "This is not valid JSON.");
}

/** The id of a frame that is too large or too deep: parsed once more, since somebody waits for that answer. */
function findId(frame: string): string {
  const value = parseAny(frame);
  if (!isRecord(value) || typeof value.id !== "string" || value.id.length > idLength) return "";
  return value.id;
}
