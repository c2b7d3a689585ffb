import type { NewTurn } from "./journal.ts";

/** What a person says through a program, by whichever protocol. `at` in milliseconds since 1970. */
export function programTurn(
  said: Pick<NewTurn, "sessionId" | "actor" | "text" | "idempotencyKey">,
  at: number,
): NewTurn {
  const time = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  return {
    ...said,
    origin: "program",
    preamble: `From: user ${said.actor.userId}, ${time} UTC, through a program.`,
    discordMessageId: null,
    replyTo: null,
  };
}
