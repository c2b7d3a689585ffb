import { type APIMessage, InteractionResponseType } from "discord-api-types/v10";
import type { TurnEvent } from "../agent/events.ts";
import type { App } from "../app.ts";
import type { DiscordSimulator } from "../simulator/discord/simulator.ts";
import { DEMO } from "../simulator/discord/world-seed.ts";
import type { Io } from "./command.ts";
import { asShown } from "./demo-words.ts";

const dim = (text: string): string => `\u001b[2m${text}\u001b[0m`;
const bold = (text: string): string => `\u001b[1m${text}\u001b[0m`;

const people = {
  ana: DEMO.users.ana,
  ben: DEMO.users.ben,
  mika: DEMO.users.moderator,
  olive: DEMO.users.owner,
};
type Person = keyof typeof people;

const help = `  Whatever you write is said in #general with a mention of the bot. Try:
    what is this channel?  ·  who am I?  ·  my name is Ana  ·  what is my name?  ·  server stats
    !tools   !reset   !stop   !export   !forget
  The simulated Claude calls any tool that you name, and the bot does what you may do yourself:
    call \`discord_message_history\` with {"channel_id": "#staff"}
    call \`discord_member_kick\` with {"user_id": "@ben", "reason": "mutiny"}
  /as NAME      be somebody else: ana (a member), ben (without a role), mika (a moderator), olive (the owner)
  /yes, /no     press the button under the bot's last question
  /dm TEXT      say it to the bot in a direct message
  /say TEXT     say it in #general without a mention: the bot does not answer
  /help, /quit  show this again; leave (so does Ctrl+D)
`;

/** A person's side of Discord in the terminal: what they write and press, and what they see of the bot. Ends with them. */
export async function chat(io: Io, app: Pick<App, "onTurnEvent">, discord: DiscordSimulator): Promise<void> {
  let who: Person = "ana";
  let question: Question | null = null;
  const prompt = () => io.out(bold(`${who}> `));
  const show = (line: string) => {
    io.out(`\r\u001b[K${line}\n`);
    prompt();
  };
  const stopEvents = app.onTurnEvent((event) => {
    const line = describe(event);
    if (line) show(dim(line));
  });
  const stopMessages = discord.onExchange(({ method, path, status, body, response }) => {
    if (path.endsWith("/callback")) {
      const said = pressAnswer(body);
      if (said !== null) show(`${bold(`${discord.botUser.username}>`)} ${indented(said)}`);
    }
    if (method === "POST" && path.endsWith("/typing")) show(dim("  (the bot is typing…)"));
    if (status !== 200 || !isMessage.test(path) || (method !== "POST" && method !== "PATCH")) return;
    const said = messageOf(response);
    if (said === null) return;
    if (said.buttons.length > 0) question = said;
    const where = said.isDirect ? " (to you alone)" : "";
    const edited = method === "PATCH" ? " (edited)" : "";
    const buttons = said.buttons.map(({ label }) => `[${label}]`).join(" ");
    const text = `${said.content}${buttons === "" ? "" : `\n${buttons}   ${dim("/yes or /no")}`}`;
    show(`${bold(`${discord.botUser.username}>`)}${dim(where + edited)} ${indented(text)}`);
  });
  const press = (index: number) => {
    const button = question?.buttons[index];
    if (question === null || button === undefined) return io.out("There is no question.\n");
    discord.interact.press({ userId: people[who], messageId: question.id, customId: button.customId });
  };
  io.out(help);
  prompt();
  try {
    for await (const line of untilStopped(io)) {
      const text = line.trim();
      if (text === "/quit") break;
      if (text === "/help") io.out(help);
      else if (text === "/yes") press(0);
      else if (text === "/no") press(1);
      else if (text.startsWith("/as ")) {
        const name = text.slice(4).trim().toLowerCase();
        if (isPerson(name)) who = name;
        else io.out(`There is no ${name} here, only ${Object.keys(people).join(", ")}.\n`);
      } else if (text !== "") say(discord, people[who], text);
      prompt();
    }
  } finally {
    stopEvents();
    stopMessages();
    io.out("\n");
  }
}

const names = new Map(Object.entries(people).map(([name, id]) => [id, name]));
const indented = (text: string): string => asShown(text, names, Date.now()).replaceAll("\n", "\n     ");

const isPerson = (name: string): name is Person => Object.hasOwn(people, name);
const isMessage = /^\/channels\/\d+\/messages(?:\/\d+)?$/;

function say(discord: DiscordSimulator, userId: string, text: string): APIMessage {
  const direct = /^\/dm\s+([\s\S]+)$/.exec(text)?.[1];
  if (direct) return discord.say({ userId, channelId: discord.openDirectMessage(userId), content: direct });
  const channelId = DEMO.channels.general;
  const plain = /^\/say\s+([\s\S]+)$/.exec(text)?.[1];
  if (plain) return discord.say({ userId, channelId, content: plain });
  const content = text.startsWith("!") ? text : `<@${discord.botUser.id}> ${text}`;
  return discord.say({ userId, channelId, content });
}

/** Lines until the input ends or the process is told to stop. */
async function* untilStopped(io: Io): AsyncGenerator<string> {
  const lines = io.lines()[Symbol.asyncIterator]();
  const stopped = new Promise<{ done: true; value: undefined }>((resolve) => {
    io.stop.addEventListener("abort", () => resolve({ done: true, value: undefined }), { once: true });
  });
  while (!io.stop.aborted) {
    const next = await Promise.race([lines.next(), stopped]);
    if (next.done) return;
    yield next.value;
  }
}

function describe(event: TurnEvent): string | null {
  switch (event.type) {
    case "tool_started":
      return `  · ${event.toolName} ${JSON.stringify(event.arguments)}`;
    case "tool_finished":
      return `  · ${event.toolName}: ${event.outcome}, ${Math.round(event.durationMs)} ms`;
    default:
      return null;
  }
}

interface Question {
  readonly id: string;
  readonly content: string;
  readonly isDirect: boolean;
  readonly buttons: readonly { readonly label: string; readonly customId: string }[];
}

function messageOf(body: unknown): Question | null {
  if (typeof body !== "object" || body === null || !("content" in body) || !("id" in body)) return null;
  const { id, content } = body;
  if (typeof id !== "string" || typeof content !== "string") return null;
  const components = "components" in body && Array.isArray(body.components) ? body.components : [];
  const buttons = components.flatMap((row: { components?: { label?: string; custom_id?: string }[] }) =>
    (row.components ?? []).map(({ label = "", custom_id: customId = "" }) => ({ label, customId })),
  );
  const isDirect = "channel_id" in body && typeof body.channel_id === "string" && !isOfGuild(body.channel_id);
  return { id, content, isDirect, buttons };
}

/** What a pressed button is answered with: words for who pressed it alone, or the question, changed. */
function pressAnswer(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("type" in body) || !("data" in body)) return null;
  const { type, data } = body;
  if (typeof data !== "object" || data === null || !("content" in data) || typeof data.content !== "string")
    return null;
  return `${dim(type === InteractionResponseType.UpdateMessage ? "(edited) " : "(to you alone) ")}${data.content}`;
}

const guildChannels: ReadonlySet<string> = new Set(Object.values(DEMO.channels));
const isOfGuild = (channelId: string): boolean => guildChannels.has(channelId);
