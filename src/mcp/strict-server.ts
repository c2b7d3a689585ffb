import {
  type JSONRPCRequest,
  ProtocolError,
  ProtocolErrorCode,
  type Result,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { Type } from "typebox";
import { Compile } from "typebox/compile";

type Handler = (request: JSONRPCRequest, context: ServerContext) => Promise<Result>;

const Issues = Compile(
  Type.Array(
    Type.Object({ path: Type.Array(Type.Union([Type.String(), Type.Number()])), message: Type.String() }),
  ),
);

/**
 * A request that does not fit the protocol's schema is its sender's mistake. The server package throws a plain Error
 * for it before the handler is reached, which would be answered as a fault of ours; our handlers throw no such thing.
 */
export class StrictServer extends Server {
  protected override _wrapHandler(method: string, handler: Handler): Handler {
    const wrapped = super._wrapHandler(method, handler);
    return async (request, context) => {
      try {
        return await wrapped(request, context);
      } catch (error) {
        if (!(error instanceof Error) || error.constructor !== Error) throw error;
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, sentenceOf(method, error.message));
      }
    };
  }
}

/** The package's message is the JSON of a list of issues. */
function sentenceOf(method: string, message: string): string {
  const issues = parsed(message);
  const [first] = Issues.Check(issues) ? issues : [];
  if (first === undefined) return `This is no valid ${method} request.`;
  return `This is no valid ${method} request: ${first.path.join(".")}: ${first.message}.`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
