import type { Actor } from "../../src/actor.ts";
import { type Client, connect as openSocket } from "../http/client.ts";
import type { World } from "../http/world.ts";
import { unwrapped } from "../tools/harness.ts";
import { connect, type TestClient } from "./clients.ts";

/** One call, as one person from one place. */
export interface DoorCall {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly actor: Actor;
  /** What the person says when they are asked. */
  readonly answer: "yes" | "no";
}

/** What it came to, in the same words for every door. */
export interface Told {
  readonly kind: "done" | "refused";
  /** What the person was asked before; null when they were not. */
  readonly question: string | null;
  readonly value: unknown;
  /** Of a refusal. */
  readonly sentence: string | null;
  /** Null where a door does not tell it: the model reads words. */
  readonly code: string | null;
  readonly data: unknown;
}

export interface Doors extends AsyncDisposable {
  /** By name; a call's own requests to Discord are between the marks that it is given. */
  readonly doors: Readonly<Record<DoorName, (call: DoorCall, marks: Marks) => Promise<Told>>>;
}

export const doorNames = ["the model", "the JSON protocol", "the Model Context Protocol"] as const;
export type DoorName = (typeof doorNames)[number];

/** Of a turn, what lies between them is the call's alone: the turn looks around before and after. */
export interface Marks {
  begin(): void;
  end(): void;
}

/** One token for each person, used at every door. */
export function createDoors(world: World): Doors {
  const opened = new AsyncDisposableStack();
  const tokens = remembered(async (userId) => (await world.token({ userId })).secret);
  const sockets = remembered(async (userId) => {
    const client = await openSocket(world, { token: await tokens(userId) });
    opened.defer(() => client.close());
    return client;
  });
  const sessions = remembered(async (key) => {
    const [user_id = "", guild_id, channel_id] = key.split(" ");
    const reply = await (await sockets(user_id)).request("initialize", { user_id, guild_id, channel_id });
    if (reply.type !== "initialize") throw new Error(`${reply.error} ${reply.data.code}`);
    return String(reply.data.session_id);
  });
  const said = { answer: "no" as DoorCall["answer"], questions: [] as string[] };
  const clients = remembered(async (key) => {
    const [userId = "", guildId, channelId] = key.split(" ");
    const client = await connect(world, "WebSocket", "2026-07-28", {
      token: await tokens(userId),
      query: `guild_id=${guildId}&channel_id=${channelId}`,
      elicit({ message }) {
        said.questions.push(message);
        return said.answer === "yes" ? "accept" : "decline";
      },
    });
    opened.use(client);
    // From then on the client holds every result against the schema that its tool has.
    await client.raw.listTools();
    return client;
  });
  const place = ({ userId, guildId, channelId }: Actor) => `${userId} ${guildId} ${channelId}`;

  return {
    doors: {
      "the model": async (call, marks) => {
        const { userId, channelId, guildId } = call.actor;
        await world.turns.reset(userId, channelId, guildId);
        return byModel(world, await sockets(userId), await sessions(place(call.actor)), call, marks);
      },
      "the JSON protocol": async (call, marks) => {
        const [client, session] = [await sockets(call.actor.userId), await sessions(place(call.actor))];
        marks.begin();
        const told = await byJson(client, session, call);
        marks.end();
        return told;
      },
      "the Model Context Protocol": async (call, marks) => {
        const client = await clients(place(call.actor));
        said.answer = call.answer;
        said.questions.length = 0;
        marks.begin();
        const told = await byMcp(client, call);
        marks.end();
        return { ...told, question: said.questions[0] ?? null };
      },
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function remembered<Value>(make: (key: string) => Promise<Value>): (key: string) => Promise<Value> {
  const known = new Map<string, Promise<Value>>();
  return (key) => {
    const found = known.get(key) ?? make(key);
    known.set(key, found);
    return found;
  };
}

/** A turn in which the model calls the tool, and reads what comes of it. */
async function byModel(
  world: World,
  client: Client,
  session_id: string,
  call: DoorCall,
  marks: Marks,
): Promise<Told> {
  let isCalled = false;
  world.script.tool = () => {
    if (isCalled) return null;
    isCalled = true;
    marks.begin();
    return { name: call.tool, input: call.input };
  };
  let read: ToolResult | undefined;
  world.script.answer = () => {
    marks.end();
    read = resultIn(world.claude.requests.at(-1)?.rawBody ?? "");
    return "I see.";
  };
  const questions: string[] = [];
  const unsubscribe = world.turns.onApproval(({ id: approval_id, state, question }) => {
    if (state !== "pending") return;
    questions.push(question.text);
    void client.request("approve", { session_id, approval_id, approved: call.answer === "yes" });
  });
  const { type, data } = await client.request("process", { session_id, message: "Do it." });
  unsubscribe();
  if (type !== "response" || read === undefined) throw new Error(`The turn failed: ${JSON.stringify(data)}`);
  const isDone = read.is_error !== true;
  return {
    kind: isDone ? "done" : "refused",
    question: questions[0] ?? null,
    value: isDone ? unwrapped(read.content) : null,
    sentence: isDone ? null : read.content,
    code: null,
    data: null,
  };
}

interface ToolResult {
  readonly content: string;
  readonly is_error?: boolean;
}

function resultIn(rawBody: string): ToolResult {
  const { messages } = JSON.parse(rawBody);
  const block = messages.at(-1).content.find(({ type }: { readonly type: string }) => type === "tool_result");
  const { content } = block;
  return { ...block, content: typeof content === "string" ? content : content[0].text };
}

async function byJson(client: Client, session_id: string, { tool, input, answer }: DoorCall): Promise<Told> {
  const request = { session_id, tool_name: tool, arguments: input };
  let reply = await client.request("tool_call", request);
  let question: string | null = null;
  if (reply.data.code === "approval_required") {
    const { approval_id } = reply.data;
    question = String(reply.data.question);
    await client.request("approve", { session_id, approval_id, approved: answer === "yes" });
    reply = await client.request("tool_call", { ...request, approval_id });
  }
  if (reply.type === "tool_result")
    return { kind: "done", question, value: reply.data.result, sentence: null, code: null, data: null };
  const { code, approval_id: _id, ...data } = reply.data;
  return { kind: "refused", question, value: null, sentence: reply.error ?? "", code, data };
}

async function byMcp(client: TestClient, { tool, input }: DoorCall): Promise<Omit<Told, "question">> {
  const { isError, text, structured, meta } = await client.call(tool, input);
  if (!isError) return { kind: "done", value: structured.result, sentence: null, code: null, data: null };
  const { code, ...data } = meta;
  return { kind: "refused", value: null, sentence: text, code, data };
}
