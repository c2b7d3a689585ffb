import { getLogger } from "@logtape/logtape";
import type { Actor } from "../actor.ts";
import type { TurnRecord } from "../agent/journal.ts";
import { programTurn } from "../agent/program-turn.ts";
import { AppError, toAppError } from "../errors.ts";
import type { Session } from "../sessions/ports.ts";
import { parser } from "../sessions/validation.ts";
import { type Entered, inSession } from "./access.ts";
import { conflict, idempotencyKey } from "./idempotency.ts";
import { type Envelope, messageBytes, ProcessData, type ReplyData } from "./messages.ts";
import type { Caller, ProtocolDeps } from "./ports.ts";
import { wireUsage } from "./wire.ts";

const log = getLogger(["discord-mcp", "protocol"]);
const parse = parser(ProcessData);

/** `process`: a turn, accepted durably and waited for. Its events go to whoever follows the session. */
export function createProcess(deps: ProtocolDeps) {
  return async (envelope: Envelope, caller: Caller): Promise<ReplyData> => {
    const data = parse(envelope.data);
    const key = idempotencyKey(envelope.metadata);
    if (Buffer.byteLength(data.message) > messageBytes)
      throw new AppError("payload_too_large", "The message is too long; at most 32 KiB are allowed.", {
        data: { path: "message", max_bytes: messageBytes },
      });
    const asked = { requestId: envelope.id, message: data.message, key };
    return inSession(deps, caller, data.session_id, "turns", (entered) => run(deps, asked, entered, caller));
  };
}

async function run(
  deps: ProtocolDeps,
  asked: { readonly requestId: string; readonly message: string; readonly key: string | null },
  { session, actor }: Entered,
  caller: Caller,
): Promise<ReplyData> {
  caller.connection?.follow(session, { isThere: true });
  const { turn: accepted, isRepeat } = await submit(deps, actor, session, asked.message, asked.key);
  log.info("turn requested", { request_id: asked.requestId, turn_id: accepted.id, session_id: session.id });
  caller.onTurn?.(accepted.id, session);
  const { turn } = await deps.turns.wait(accepted.id, caller.signal);
  await assertMayHear(deps, { session, actor, turnId: turn.id, isRepeat }, caller.signal);
  return { type: "response", data: answerOf(turn, session.id) };
}

async function submit(
  deps: ProtocolDeps,
  actor: Actor,
  session: Session,
  text: string,
  idempotencyKey: string | null,
): Promise<{ readonly turn: TurnRecord; readonly isRepeat: boolean }> {
  const said = { sessionId: session.id, actor, text, idempotencyKey };
  const result = await deps.turns.submit(programTurn(said, deps.now()));
  if (result.status === "accepted") {
    deps.sessions.count(session, "message");
    return { turn: result.turn, isRepeat: false };
  }
  if (result.status === "queue_full")
    throw new AppError(
      "queue_full",
      `${result.waiting} messages of this ${result.of} are waiting already; try again when one of them is answered.`,
      { data: { waiting: result.waiting, of: result.of } },
    );
  if (result.turn === null) throw conflict("The turn of this idempotency_key has been deleted since.");
  if (result.turn.text !== text) throw conflict("This idempotency_key was used for another message.");
  return { turn: result.turn, isRepeat: true };
}

/** A turn takes its time, in which its person may have lost the place, or what the answer rests on. */
async function assertMayHear(
  { places, sessions }: ProtocolDeps,
  asked: {
    readonly session: Session;
    readonly actor: Actor;
    readonly turnId: string;
    readonly isRepeat: boolean;
  },
  signal: AbortSignal,
): Promise<void> {
  const { session, actor, turnId, isRepeat } = asked;
  try {
    await places.assertReachable(actor, signal);
    await sessions.assertMayHear(session, turnId, isRepeat ? "again" : "live");
  } catch (error) {
    signal.throwIfAborted();
    const { code, message, retryAfterMs, data } = toAppError(error);
    throw new AppError(code, message, {
      cause: error,
      data: { ...data, turn_id: turnId },
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
}

function answerOf(turn: TurnRecord, sessionId: string) {
  const response = turn.answer ?? "";
  if (turn.state === "done")
    return {
      session_id: sessionId,
      response,
      turn_id: turn.id,
      stop_reason: turn.stopReason,
      usage: wireUsage(turn.usage),
    };
  const code = turn.errorCode ?? (turn.state === "cancelled" ? "cancelled" : "turn_failed");
  throw new AppError(code, response === "" ? "The turn failed; please try again." : response, {
    data: { turn_id: turn.id, usage: wireUsage(turn.usage) },
  });
}
