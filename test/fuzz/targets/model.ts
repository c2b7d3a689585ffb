import fc from "fast-check";
import { signThinking } from "../../../src/simulator/claude/ids.ts";
import { World } from "../../agent/harness.ts";
import { Broken, holds, isDocumented } from "../holds.ts";
import { mutated, scrambled } from "../mutate.ts";
import { Rejections } from "../rejections.ts";
import { target } from "../target.ts";

const usage = {
  input_tokens: 5,
  output_tokens: 9,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};
const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "m",
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage,
};

type Event = Readonly<Record<string, unknown>>;

function block(index: number, start: Event, deltas: readonly Event[]): Event[] {
  return [
    { type: "content_block_start", index, content_block: start },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
}

const inText = (index: number, said = "Hello there") =>
  block(index, { type: "text", text: "" }, [{ type: "text_delta", text: said }]);
const inThought = (index: number) =>
  block(index, { type: "thinking", thinking: "", signature: "" }, [
    { type: "thinking_delta", thinking: "Let me see." },
    { type: "signature_delta", signature: signThinking("Let me see.") },
  ]);
const inCall = (index: number, name = "echo", input = '{"n": 1}') =>
  block(index, { type: "tool_use", id: `toolu_${index}`, name, input: {} }, [
    { type: "input_json_delta", partial_json: input.slice(0, 4) },
    { type: "input_json_delta", partial_json: input.slice(4) },
  ]);

function streamOf(blocks: readonly Event[], stopReason: string): Event[] {
  return [
    { type: "message_start", message },
    { type: "ping" },
    ...blocks,
    {
      type: "message_delta",
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: 9 },
    },
    { type: "message_stop" },
  ];
}

const streams: readonly (readonly Event[])[] = [
  streamOf(inText(0), "end_turn"),
  streamOf([...inThought(0), ...inText(1)], "end_turn"),
  streamOf([...inText(0), ...inCall(1)], "tool_use"),
  streamOf([...inCall(0), ...inCall(1, "none", "{}"), ...inCall(2)], "tool_use"),
  streamOf(inText(0), "max_tokens"),
  streamOf([], "end_turn"),
  streamOf([...inThought(0)], "refusal"),
  streamOf(inCall(0, "echo", '{"n": [1, {"deep'), "max_tokens"),
  streamOf(
    block(0, { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} }, []),
    "pause_turn",
  ),
  streamOf(block(0, { type: "new_block", text: "?" }, [{ type: "new_delta", text: "?" }]), "new_reason"),
  [{ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }],
];

const frame = (event: unknown): string => {
  const known =
    typeof event === "object" && event !== null && "type" in event && typeof event.type === "string";
  const type = known ? event.type : "message";
  return `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
};
const written = (events: unknown): string =>
  Array.isArray(events) ? events.map(frame).join("") : frame(events);

const wellFormed = streams.map(written);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** A report shows it as a text. */
const readably = (body: Uint8Array): Uint8Array =>
  Object.assign(body, { [fc.toStringMethod]: () => JSON.stringify(Buffer.from(body).toString("latin1")) });
const body: fc.Arbitrary<Uint8Array> = fc.oneof(
  { arbitrary: mutated(streams, 4).map((events) => bytes(written(events))), weight: 6 },
  { arbitrary: scrambled(wellFormed).map(bytes), weight: 3 },
  fc.tuple(fc.constantFrom(...wellFormed), fc.nat(2000)).map(([text, at]) => bytes(text.slice(0, at))),
  fc
    .tuple(fc.constantFrom(...wellFormed), fc.nat(1000), fc.uint8Array({ maxLength: 6 }))
    .map(([text, at, noise]) => Buffer.concat([bytes(text.slice(0, at)), noise, bytes(text.slice(at))])),
  fc.constantFrom(...wellFormed).map((text) => bytes(text.replaceAll("\n", "\r\n"))),
  fc
    .constantFrom("", "\n\n", "data:\n\n", "data: null\n\n", ": only a comment\n\n", "{}", "<html>")
    .map(bytes),
);

/** A thought that is not what was signed: nobody but the API can tell, and it refuses it. */
const isForged = (each: {
  readonly type: string;
  readonly thinking?: string;
  readonly signature?: string;
}): boolean =>
  each.type === "redacted_thinking" ||
  (each.type === "thinking" && each.signature !== signThinking(each.thinking ?? ""));

export const model = target(
  "model",
  "whatever the model streams, the turn ends with an answer, and the next one takes up what is stored",
  60,
  async () => {
    const queue: Uint8Array[] = [];
    let forward = "";
    // Says what a test puts in; after that it hands on to the simulated Claude, which refuses what the API would.
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const next = queue.shift();
        if (next !== undefined)
          return new Response(next, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
        const { pathname, search } = new URL(request.url);
        return fetch(forward + pathname + search, {
          method: request.method,
          headers: request.headers,
          body: await request.arrayBuffer(),
        });
      },
    });
    const rejections = new Rejections();
    const world = await World.start({
      env: {
        ANTHROPIC_BASE_URL: `http://127.0.0.1:${server.port}`,
        ANTHROPIC_MAX_RETRIES: "1",
        TURN_MAX_STEPS: "4",
        USER_TOKENS_PER_DAY: "0",
        GUILD_TOKENS_PER_DAY: "0",
      },
      claude: { brain: () => ({ blocks: [{ type: "text", text: "Yes." }] }) },
      tools: { echo: { run: async ({ input }) => JSON.stringify(input) } },
    });
    forward = world.claude.baseUrl;
    let n = 0;
    return {
      inputs: fc.array(body.map(readably), { minLength: 1, maxLength: 3 }),
      async check(bodies) {
        n += 1;
        const who = {
          sessionId: `s${n}`,
          actor: { kind: "user", userId: `${1000 + n}`, guildId: "900", channelId: "500" },
        } as const;
        queue.splice(0, queue.length, ...bodies);
        const first = await world.ask("hello", who);
        rejections.check();
        queue.length = 0;
        holds(first.state === "done" || first.state === "failed", `the turn is ${first.state}`);
        holds((first.answer ?? "").trim() !== "", "no answer");
        holds(first.errorCode === null || isDocumented(first.errorCode), `it failed with ${first.errorCode}`);
        const steps = await world.memory.turns.steps(first.id);
        holds(
          steps.every((step) => step.content.length > 0),
          "an empty step",
        );
        const second = await world.ask("and again?", who);
        if (second.state === "done" || steps.some(({ content }) => content.some(isForged)))
          return first.errorCode ?? first.state;
        throw new Broken(`the next turn is ${second.state}: ${second.answer}`, {
          cause: new Error(JSON.stringify(steps)),
        });
      },
      async [Symbol.asyncDispose]() {
        await world[Symbol.asyncDispose]();
        await server.stop(true);
        rejections[Symbol.dispose]();
      },
    };
  },
);
