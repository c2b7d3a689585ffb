import fc from "fast-check";
import { startWorld, type World } from "../../http/world.ts";
import {
  answerOf,
  initialize,
  legacy,
  type Message,
  modern,
  post,
  socketWire,
  type Wire,
} from "../../mcp/raw.ts";
import { ids } from "../../tools/harness.ts";
import { Broken, equal, holds, isDocumented } from "../holds.ts";
import { mutated, scrambled } from "../mutate.ts";
import { Rejections } from "../rejections.ts";
import { target } from "../target.ts";

const call = (n: number) => ({ name: "echo", arguments: { a: n } });
const uri = `discord://guilds/${ids.guild}/channels`;
const complete = {
  ref: { type: "ref/prompt", name: "summarize" },
  argument: { name: "channel", value: "g" },
};
type Make = (id: unknown, method: string, params?: object) => object;

/** Of each method one at least, in the words of either revision. */
const of = (make: Make) => [
  make("x", "tools/list", { cursor: "at-100" }),
  make("x", "tools/call", call(1)),
  make("x", "tools/call", { ...call(2), _meta: { progressToken: 7 } }),
  make("x", "tools/call", { name: "close", arguments: {} }),
  make("x", "resources/list"),
  make("x", "resources/templates/list"),
  make("x", "resources/read", { uri }),
  make("x", "resources/read", {
    uri: `discord://calls/echo?arguments=${Buffer.from('{"a":1}').toString("base64url")}`,
  }),
  make("x", "prompts/list"),
  make("x", "prompts/get", { name: "summarize", arguments: { channel: "general" } }),
  make("x", "completion/complete", complete),
  make("x", "ping"),
];
const messages = [
  ...of(modern),
  modern("x", "server/discover"),
  modern("x", "tools/call", {
    name: "close",
    arguments: {},
    requestState: "AAAA",
    inputResponses: { approve: { action: "accept", content: { approve: true } } },
  }),
  ...of(legacy),
  initialize(),
  legacy("x", "resources/subscribe", { uri }),
  legacy("x", "resources/unsubscribe", { uri }),
  legacy("x", "logging/setLevel", { level: "debug" }),
  { jsonrpc: "2.0", method: "notifications/initialized" },
  { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "x", reason: "r" } },
  { jsonrpc: "2.0", id: "x", result: {} },
  { jsonrpc: "2.0", id: "x", error: { code: -1, message: "m" } },
];
const texts = messages.map((message) => JSON.stringify(message));
const text: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: mutated(messages, 3).map((each) => JSON.stringify(each) ?? ""), weight: 5 },
  scrambled(texts),
);

const internalError = -32603;

/** Whether it is a result, or the code of its error. */
function checkAnswer(message: Message): string {
  const { error } = message;
  if (error === undefined) return "result";
  // What is refused before it is read as a message, as every other address refuses it.
  if (typeof error === "string") {
    holds(isDocumented(message.code), `the code ${message.code}`);
    return String(message.code);
  }
  holds(
    Number.isInteger(error.code) && typeof error.message === "string",
    `no error: ${JSON.stringify(message)}`,
  );
  holds(error.code !== internalError, `a fault of ours: ${JSON.stringify(message).slice(0, 500)}`);
  return `error ${error.code}`;
}

async function start() {
  const world = await startWorld({ env: { USER_TOKENS_PER_DAY: "0", GUILD_TOKENS_PER_DAY: "0" } });
  world.tools.gate.resolve();
  const { secret: token } = await world.token({
    userId: ids.ana,
    scopes: ["sessions", "turns", "tools", "approve"],
  });
  return { world, token, rejections: new Rejections() };
}

const query = `guild_id=${ids.guild}&channel_id=${ids.general}`;
const openWire = (world: World, token: string): Promise<Wire> =>
  socketWire(`${world.socketUrl}/mcp/ws?${query}`, { token, protocols: ["mcp"] });

/** The answer to it must come, whatever becomes of the rest. */
const isRequest = (message: Message): boolean =>
  message?.jsonrpc === "2.0" &&
  message.id === "x" &&
  typeof message.method === "string" &&
  message.method !== "subscriptions/listen";

function parsed(written: string): Message {
  try {
    return JSON.parse(written);
  } catch {
    return null;
  }
}

export const channel = target(
  "mcp-channel",
  "each message of the Model Context Protocol over a channel is answered as its specification has it, and the channel lives on",
  200,
  async () => {
    const { world, token, rejections } = await start();
    let n = 0;
    return {
      inputs: fc.array(text, { minLength: 1, maxLength: 5 }),
      async check(written) {
        n += 1;
        using wire = await openWire(world, token);
        const mustAnswer: string[] = [];
        for (const [at, each] of written.entries()) {
          const message = parsed(each);
          const id = `${n}-${at}`;
          if (isRequest(message)) mustAnswer.push(id);
          wire.send(message?.id === "x" ? { ...message, id } : each);
        }
        wire.send(modern("after", "ping"));
        wire.send(modern("last", "tools/list"));
        const last = await wire.next(({ id }) => id === "last");
        holds(
          last.result !== undefined || last.error?.code !== internalError,
          `no list: ${JSON.stringify(last)}`,
        );
        for (const id of mustAnswer)
          await wire.next((message) => message.id === id && message.method === undefined);
        const answers = wire.received.filter(({ id }) => id !== "after" && id !== "last").map(checkAnswer);
        for (const id of mustAnswer)
          equal(
            wire.received.filter((message) => message.id === id && message.method === undefined).length,
            1,
            "answers",
          );
        rejections.check();
        return answers;
      },
      async [Symbol.asyncDispose]() {
        await world[Symbol.asyncDispose]();
        rejections[Symbol.dispose]();
      },
    };
  },
);

const headerName = fc.constantFrom(
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
  "mcp-session-id",
  "accept",
  "content-type",
  "last-event-id",
);
const headerValue = fc.oneof(
  fc.constant(null),
  scrambled(["2026-07-28", "2025-11-25", "tools/call", "echo", "application/json", "text/event-stream"]).map(
    (value) => value.replaceAll(/[^\x20-\x7e]/g, ""),
  ),
);

/** A header that says what the body says, where a header can: no client sends another. */
function sendable(message: Message): Record<string, string> {
  const isModern = message?.params?._meta !== undefined;
  const name = message?.params?.name ?? message?.params?.uri;
  if (!isModern || (isPlain(message.method) && isPlain(name ?? ""))) return {};
  return { "mcp-method": "tools/list", "mcp-name": "echo" };
}

const isPlain = (value: unknown): boolean => /^[\x21-\x7e]*$/.test(String(value));

export const mcpHttp = target(
  "mcp-http",
  "each message of the Model Context Protocol over HTTP is answered as its specification has it",
  200,
  async () => {
    const { world, token, rejections } = await start();
    return {
      inputs: fc.record({ text, headers: fc.dictionary(headerName, headerValue, { maxKeys: 2 }) }),
      async check({ text: written, headers }) {
        const leave = new AbortController();
        const message = parsed(written);
        const body = message === null ? written : message;
        const response = await post(world.url, body, {
          ...{ token, query, signal: leave.signal },
          headers: { ...sendable(message), ...headers },
        });
        holds(response.status < 500, `it answers ${response.status}`);
        let end = `${response.status}`;
        if (
          message?.method !== "subscriptions/listen" &&
          response.status !== 202 &&
          response.headers.get("content-length") !== "0"
        ) {
          const answer = await answerOf(response).catch((error: unknown) => {
            throw new Broken(`no answer, with ${response.status}`, { cause: error });
          });
          end = checkAnswer(answer);
        }
        leave.abort();
        rejections.check();
        return end;
      },
      async [Symbol.asyncDispose]() {
        await world[Symbol.asyncDispose]();
        rejections[Symbol.dispose]();
      },
    };
  },
);
