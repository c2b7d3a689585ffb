import { AppError } from "../errors.ts";
import { frameBytes, parseBytes } from "../protocol/envelope.ts";

/** Milliseconds that a body may take, however steadily it drips; one that stops is given up by the server. */
const bodyMs = 60_000;

/** The body, at most so many bytes of it. Throws AppError `payload_too_large` or `timeout` without reading further. */
export async function readBytes(
  request: Request,
  maxBytes = frameBytes,
  now: () => number = () => performance.now(),
): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let size = 0;
  const until = now() + bodyMs;
  // A body without a length is counted as it comes, not trusted to end.
  for await (const part of request.body) {
    size += part.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    if (now() > until)
      throw new AppError("timeout", `The body took longer than ${bodyMs / 1000} seconds; send it at once.`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The `data` of a request. Throws the errors of a frame, and `invalid_data` for what is no object. */
export async function readData(request: Request): Promise<Readonly<Record<string, unknown>>> {
  const value = parseBytes(await readBytes(request));
  if (isRecord(value)) return value;
  throw new AppError("invalid_data", "The body must be a JSON object: the data of the request.", {
    data: { path: "" },
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tooLarge(maxBytes: number): AppError {
  return new AppError(
    "payload_too_large",
    `The body is too large; at most ${maxBytes / 1024} KiB are allowed.`,
    { data: { max_bytes: maxBytes } },
  );
}
