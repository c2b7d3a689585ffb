import fc from "fast-check";
import { requestTypes } from "../../../src/protocol/messages.ts";
import { ana } from "../../http/client.ts";
import { startWorld } from "../../http/world.ts";
import { Broken, equal, holds, isDocumented } from "../holds.ts";
import { mutated, nasty, scrambled } from "../mutate.ts";
import { Rejections } from "../rejections.ts";
import { target } from "../target.ts";

const session_id = "fuzzed";
const requests = [
  { type: "initialize", id: "a", data: { ...ana, session_id, last_seq: 0, stream_epoch: "e" } },
  { type: "initialize", id: "a", data: { user_id: ana.user_id, channel_id: "222222222222222223" } },
  { type: "tool_call", id: "b", data: { session_id, tool_name: "echo", arguments: { a: 1, n: [2] } } },
  {
    type: "tool_call",
    id: "b",
    data: { session_id, tool_name: "close", arguments: {} },
    metadata: { idempotency_key: "k1" },
  },
  {
    type: "context_update",
    id: "c",
    data: { session_id, user_preferences: { tone: "dry" }, active_tools: ["echo"] },
  },
  {
    type: "process",
    id: "d",
    data: { session_id, message: "hello" },
    metadata: { idempotency_key: "k2", more: { a: [1] } },
  },
  { type: "cancel", id: "e", data: { session_id, turn_id: "t" } },
  { type: "approve", id: "f", data: { session_id, approval_id: "x", approved: true } },
];
const texts = requests.map((request) => JSON.stringify(request));

const frame: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: mutated(requests, 4).map((each) => JSON.stringify(each) ?? "undefined"), weight: 6 },
  { arbitrary: scrambled(texts), weight: 2 },
  nasty.map((each) => JSON.stringify(each) ?? ""),
  fc.constantFrom(
    "",
    "[".repeat(60_000),
    `{"id":"deep","a":${'{"a":'.repeat(5000)}1${"}".repeat(5000)}}`,
    `{"id":"big","x":"${"x".repeat(200_000)}"}`,
  ),
);

/** A socket that hands out what comes, one after the other. */
async function open(world: { readonly socketUrl: string; readonly operator: string }) {
  const socket = new WebSocket(`${world.socketUrl}/mcp/ws`, {
    headers: { authorization: `Bearer ${world.operator}` },
  });
  const replies: unknown[] = [];
  let look = () => {};
  let closed: string | null = null;
  const opened = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data));
    if (message.type !== "event") replies.push(message);
    look();
  };
  socket.onclose = ({ code, reason }) => {
    closed = `${code} ${reason}`;
    look();
  };
  await opened.promise;
  return {
    socket,
    replies,
    /** So many replies, and whatever else came with them. */
    taken(count: number): Promise<unknown[]> {
      const { promise, resolve, reject } = Promise.withResolvers<unknown[]>();
      look = () => {
        if (replies.length >= count) resolve(replies.splice(0));
        else if (closed !== null) reject(new Broken(`the socket was closed with ${closed}`));
      };
      look();
      return promise;
    },
  };
}

const known: ReadonlySet<unknown> = new Set([...requestTypes, "tool_result", "response", "error"]);

/** Its type, or the code of its error. */
function checkReply(reply: unknown): string {
  if (
    typeof reply !== "object" ||
    reply === null ||
    !("type" in reply) ||
    !("id" in reply) ||
    !("data" in reply)
  )
    throw new Broken(`no reply: ${JSON.stringify(reply)}`);
  holds(known.has(reply.type) && typeof reply.id === "string", `a reply of type ${reply.type}`);
  if (reply.type !== "error") return String(reply.type);
  const { data } = reply;
  const code = typeof data === "object" && data !== null && "code" in data ? data.code : null;
  holds(isDocumented(code), `an error with the code ${code}: ${JSON.stringify(reply).slice(0, 400)}`);
  holds(
    "error" in reply && typeof reply.error === "string" && reply.error !== "",
    "an error without a sentence",
  );
  equal("message_id" in reply ? reply.message_id : null, reply.id, "message_id");
  return String(code);
}

/** What the reply's id must be: the request's own, where it has one that can be found. */
function idOf(text: string): string | null {
  try {
    const { id } = JSON.parse(text);
    return typeof id === "string" && id.length > 0 && id.length <= 128 ? id : null;
  } catch {
    return null;
  }
}

export const frames = target(
  "frames",
  "each frame of the JSON protocol gets one reply with a documented code, and the socket lives on",
  300,
  async () => {
    const world = await startWorld({ env: { USER_TOKENS_PER_DAY: "0", GUILD_TOKENS_PER_DAY: "0" } });
    world.tools.gate.resolve();
    const rejections = new Rejections();
    const client = await open(world);
    client.socket.send(texts[0] ?? "");
    await client.taken(1);
    return {
      inputs: fc.array(frame, { minLength: 1, maxLength: 4 }),
      async check(sent) {
        for (const text of sent) client.socket.send(text);
        const replies = await client.taken(sent.length);
        equal(replies.length, sent.length, "replies");
        const ends = replies.map(checkReply);
        // Half a character does not get through a socket: it is sent as U+FFFD.
        const wanted = sent.flatMap((text) => idOf(text.toWellFormed()) ?? []).toSorted();
        const found = replies
          .map((reply) => Object(reply).id)
          .filter((id) => id !== "")
          .toSorted();
        equal(found, wanted, "ids of the replies");
        rejections.check();
        return ends;
      },
      async [Symbol.asyncDispose]() {
        client.socket.close();
        await world[Symbol.asyncDispose]();
        rejections[Symbol.dispose]();
      },
    };
  },
);
