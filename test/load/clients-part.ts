import { numberOf, partArgs, servePart, textOf } from "../bench/parts.ts";
import { personIds, servers } from "../chaos/world.ts";
import { Program, type Reply } from "./program.ts";

/** Programs by the thousand, in a process of their own. */
const args = partArgs();
const url = textOf(args, "url");
const token = textOf(args, "token");
const people = personIds(numberOf(args, "people"));

const open: Program[] = [];
/** What was refused and should not have been, by its code. */
const refused = new Map<string, number>();
let turns: Promise<Reply>[] = [];
let beyond: Promise<Reply>[] = [];

/** Each session in a conversation of its own: another person, channel or server. */
function place(n: number): Readonly<Record<string, unknown>> {
  const server = servers[n % 2] ?? servers[0];
  const { channelIds, id: guild_id } = server;
  const channel_id = channelIds[(n >> 1) % channelIds.length];
  return { user_id: people[Math.floor(n / (2 * channelIds.length)) % people.length], channel_id, guild_id };
}

function note(reply: Reply): boolean {
  if (reply.type !== "error") return true;
  const code = String(reply.data.code);
  refused.set(code, (refused.get(code) ?? 0) + 1);
  return false;
}

const refusals = () => ({ refused: JSON.stringify(Object.fromEntries(refused)) });

async function openOne(): Promise<void> {
  try {
    open.push(await Program.open(url, token));
  } catch {
    refused.set("connection", (refused.get("connection") ?? 0) + 1);
  }
}

/** So many at a time, as a crowd of clients comes back after a restart. */
async function inBatches(count: number, one: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n += 100)
    await Promise.all(Array.from({ length: Math.min(100, count - n) }, (_, at) => one(n + at)));
}

async function initialize(n: number): Promise<void> {
  const program = open[n];
  if (program !== undefined) note(await program.initialize(place(n)));
}

/** One is dropped, half of them without a word, and another comes in its place with the same session. */
async function replace(n: number): Promise<void> {
  const program = open[n];
  if (program === undefined) return;
  if (n % 2 === 0) program.drop();
  else await program.close();
  const next = await Program.open(url, token).catch(() => null);
  if (next === null) return void refused.set("connection", (refused.get("connection") ?? 0) + 1);
  open[n] = next;
  if (program.sessionId !== "") note(await next.initialize({ ...place(n), session_id: program.sessionId }));
}

const answers = {
  async open({ count }: Facts) {
    await inBatches(Number(count), openOne);
    return { open: open.length, ...refusals() };
  },
  async sessions({ count }: Facts) {
    await inBatches(Number(count), initialize);
    await inBatches(Number(count), async (n) => {
      const program = open[n];
      if (program !== undefined) note(await program.recall());
    });
    return refusals();
  },
  /** Asks the agent in so many conversations; `answered` waits for what comes of it. */
  turns({ count }: Facts) {
    turns = open.slice(0, Number(count)).map((program) => program.process("a slow question"));
    return {};
  },
  async answered() {
    const replies = await Promise.all(turns);
    const answered = replies.filter(note).length;
    await Promise.all(beyond);
    return { answered, ...refusals() };
  },
  /** What is above the bounds of a conversation and of a connection, on two sessions of one connection of their own. */
  async beyond({ first }: Facts) {
    const program = open[Number(first)];
    if (program === undefined) throw new Error("there is no such connection");
    const [one, two] = await Promise.all(
      [0, 1].map((n) => program.request("initialize", place(Number(first) + n))),
    );
    if (one?.type === "error") throw new Error(sentenceOf(one));
    const ask = (session: Reply | undefined) => program.process("one more", String(session?.data.session_id));
    const conversation = Array.from({ length: 10 }, () => ask(one));
    const queue = await Promise.race(conversation);
    const others = Array.from({ length: 7 }, () => ask(two));
    const flight = await ask(two);
    beyond = [...conversation, ...others];
    return { queue: sentenceOf(queue), flight: sentenceOf(flight) };
  },
  /** So many are replaced in a round, and all sessions in turn call a tool. */
  async churn({ replaced, calls, sessions, round }: Facts) {
    const began = Number(round) * Number(replaced);
    await inBatches(Number(replaced), (n) => replace((began + n) % open.length));
    const from = Number(round) * Number(calls);
    await inBatches(Number(calls), async (n) => {
      const program = open[(from + n) % Number(sessions)];
      if (program !== undefined && program.sessionId !== "") note(await program.recall());
    });
    return refusals();
  },
  async close({ count }: Facts) {
    for (const program of open.splice(-Number(count))) await program.close();
    return {};
  },
  events: () => ({ events: Program.events }),
};

type Facts = Readonly<Record<string, string | number>>;

function sentenceOf({ error = "", data }: Reply): string {
  return `${data.code}: ${error}`;
}

servePart({}, answers);
