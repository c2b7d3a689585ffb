import { getLogger } from "@logtape/logtape";
import { ProtocolError } from "@modelcontextprotocol/server";
import { toAppError } from "../errors.ts";
import { protocolError } from "./results.ts";

const log = getLogger(["discord-mcp", "mcp"]);

/** What nobody knows is the client's mistake; what goes wrong inside is ours, is logged, and stays inside. */
export async function answered<Result>(
  answer: Promise<Result> | null,
  none: () => ProtocolError,
): Promise<Result> {
  if (answer === null) throw none();
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const failure = toAppError(error);
    if (failure.code === "internal_error" && !isAbort(error))
      log.error("a request failed", { error: failure.cause ?? error });
    throw protocolError(failure);
  }
}

const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
