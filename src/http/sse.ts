import type { Principal } from "../auth/ports.ts";
import type { Reply } from "../protocol/messages.ts";
import type { ConnectionPort } from "../protocol/ports.ts";
import { eventData } from "../protocol/wire.ts";
import type { Session } from "../sessions/ports.ts";
import type { HttpDeps } from "./ports.ts";

/** Keeps proxies from taking a long turn for a dead connection. */
const heartbeatMs = 15_000;
/** Bytes that may wait for a reader. */
const unreadBytes = 1024 * 1024;

const encoder = new TextEncoder();

/** An event as its person may hear it. `turnId` is undefined for what concerns every turn. */
interface Heard {
  readonly seq: number;
  readonly json: string;
  readonly turnId?: string | null;
}

/** Follows the session of one `process` request from before its turn is accepted, so that no event is lost. */
export interface TurnFollower extends ConnectionPort, Disposable {
  /** Gives what has come so far and from then on what comes. */
  listen(listener: (heard: Heard) => void): void;
}

export function createTurnFollower(
  { events, hearings, rules }: Pick<HttpDeps, "events" | "hearings" | "rules">,
  principal: Principal,
): TurnFollower {
  const early: Heard[] = [];
  let listener = (heard: Heard): void => void early.push(heard);
  let close = () => {};
  return {
    follow(session, { isThere } = {}) {
      const actor = rules.actorFor(principal, session);
      const newest = events.position(session.conversationId);
      // Before it is heard, since there may be no room for it.
      const subscription = events.subscribe(session.conversationId, {
        sessionId: session.id,
        origin: null,
        listener: (event) => hearing.hear(event),
        ended: () => close(),
      });
      const hearing = hearings.open(
        session,
        actor,
        { after: newest, newest },
        {
          tell: (seq, json, event) => listener({ seq, json, ...(event && { turnId: event.turnId }) }),
          ended: () => close(),
        },
      );
      if (isThere) hearing.isThere();
      close = () => {
        subscription.close();
        hearing.close();
      };
      return subscription;
    },
    listen(next) {
      listener = next;
      for (const heard of early.splice(0)) next(heard);
    },
    [Symbol.dispose]: () => close(),
  };
}

/**
 * A turn as server-sent events: each of its events as it comes, then one `response` or `error`, then the end.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 * `onEnd` is called once, however it ends. A reader that leaves or does not keep up ends the stream, never the turn.
 */
export function turnStream(
  follower: TurnFollower,
  epoch: string,
  turn: { readonly id: string; readonly session: Session },
  reply: Promise<Reply>,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  let heartbeat: ReturnType<typeof setInterval> | undefined;
  let ended = false;
  function end(): void {
    if (ended) return;
    ended = true;
    clearInterval(heartbeat);
    follower[Symbol.dispose]();
    onEnd();
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        function write(text: string): void {
          if (ended) return;
          controller.enqueue(encoder.encode(text));
          if ((controller.desiredSize ?? 0) > 0) return;
          end();
          controller.close();
        }
        heartbeat = setInterval(write, heartbeatMs, ": still working\n\n");
        follower.listen((heard) => {
          if (heard.turnId === undefined || heard.turnId === turn.id)
            write(sseEvent(epoch, turn.session.id, heard));
        });
        void reply.then((last) => {
          write(sseReply(last));
          if (ended) return;
          end();
          controller.close();
        });
      },
      cancel: end,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: unreadBytes }),
  );
}

function sseEvent(epoch: string, sessionId: string, { seq, json }: Heard): string {
  return `event: event\nid: ${epoch}:${seq}\ndata: ${eventData(sessionId, epoch, seq, json)}\n\n`;
}

function sseReply(reply: Reply): string {
  if (reply.type !== "error") return `event: response\ndata: ${JSON.stringify(reply.data)}\n\n`;
  const { error, data } = reply;
  return `event: error\ndata: ${JSON.stringify({ error, code: data.code, data })}\n\n`;
}
