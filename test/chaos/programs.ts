import { answers } from "../../src/agent/answers.ts";
import type { Site } from "../e2e/site.ts";
import type { Ledger } from "./ledger.ts";
import { pause } from "./people.ts";
import { linesIn, textOf } from "./questions.ts";
import type { Random } from "./random.ts";

interface Place {
  /** Its own, the same after each connection: a key is good within its session. */
  readonly sessionId: string;
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string;
  readonly ledgerId: string;
}

/**
 * A program that asks over a WebSocket and, whatever breaks, asks again under the same idempotency key until it has
 * its answer.
 */
export async function drive(place: Place, site: Site, ledger: Ledger, random: Random, signal: AbortSignal) {
  while (!signal.aborted) {
    const kind = random.pick(["short", "write"] as const);
    const question = { mark: ledger.newMark(), kind, ledgerId: place.ledgerId };
    const where = `program ${question.mark}`;
    void ledger.ask(question, where);
    for (;;) {
      const answer = await tryOnce(place, site, textOf(question), question.mark).catch(() => null);
      if (answer === answers.tooOften) ledger.gaveUp(question.mark);
      else if (answer !== null && linesIn(answer).length === 0)
        throw new Error(`A program was answered: ${answer}`);
      else if (answer !== null) ledger.posted({ content: answer, channel_id: where });
      if (answer !== null) break;
      // What was asked is waited for even when nothing more is to be asked.
      await pause(100, new AbortController().signal);
    }
    await pause(random.between(20, 300), signal);
  }
}

/** Null when it should be tried again. */
async function tryOnce(
  { sessionId, userId, channelId, guildId }: Place,
  site: Site,
  message: string,
  key: string,
): Promise<string | null> {
  const socket = new WebSocket(`${site.url.replace("http", "ws")}/mcp/ws`, {
    headers: { Authorization: `Bearer ${site.operatorToken}` },
  });
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const send = (type: string, data: object, metadata?: object) =>
    socket.send(JSON.stringify({ type, id: type, data, ...(metadata === undefined ? {} : { metadata }) }));
  socket.onopen = () =>
    send("initialize", { session_id: sessionId, user_id: userId, channel_id: channelId, guild_id: guildId });
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(String(data));
    if (frame.type === "initialize")
      send("process", { session_id: frame.data.session_id, message }, { idempotency_key: key });
    else if (frame.type === "response") resolve(frame.data.response);
    else if (frame.type === "error") resolve(frame.error === answers.tooOften ? frame.error : null);
  };
  socket.onclose = () => resolve(null);
  socket.onerror = () => resolve(null);
  const timer = setTimeout(() => resolve(null), 60_000);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}
