import type { ControlChannel } from "../../src/control/channels.ts";

/**
 * Answers every request with its method, as a server would: what is no JSON with an error, and the method
 * "never" not at all.
 */
export function echo(
  channel: ControlChannel,
  seen: (text: string) => void = () => {},
  closed = () => {},
): void {
  channel.listen({
    message(text) {
      seen(text);
      const answer = answerTo(text);
      if (answer !== null) channel.send(JSON.stringify({ jsonrpc: "2.0", ...answer }));
    },
    closed,
  });
}

function answerTo(text: string): object | null {
  try {
    const { id, method } = JSON.parse(text);
    return id === undefined || method === "never" ? null : { id, result: { method } };
  } catch {
    return { id: null, error: { code: -32700, message: "Parse error" } };
  }
}
