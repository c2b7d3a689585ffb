import type { APIMessage } from "discord-api-types/v10";
import type { TurnEvent } from "../agent/events.ts";
import type { App } from "../app.ts";
import type { DiscordSimulator } from "../simulator/discord/simulator.ts";
import { DEMO } from "../simulator/discord/world-seed.ts";
import type { Io } from "./command.ts";

const dim = (text: string): string => `\u001b[2m${text}\u001b[0m`;
const bold = (text: string): string => `\u001b[1m${text}\u001b[0m`;

const help = `  Whatever you write is said in #general with a mention of the bot. Try:
    what is this channel?  ·  who am I?  ·  my name is Ana  ·  what is my name?  ·  server stats
    !tools   !reset   !stop
  /dm TEXT      say it to the bot in a direct message
  /say TEXT     say it in #general without a mention: the bot does not answer
  /quit         leave (so does Ctrl+D)
`;

/** A person's side of Discord in the terminal: what Ana writes, and what she sees of the bot. Ends with her. */
export async function chat(io: Io, app: Pick<App, "onTurnEvent">, discord: DiscordSimulator): Promise<void> {
  const prompt = () => io.out(bold("ana> "));
  const show = (line: string) => {
    io.out(`\r\u001b[K${line}\n`);
    prompt();
  };
  const stopEvents = app.onTurnEvent((event) => {
    const line = describe(event);
    if (line) show(dim(line));
  });
  const stopMessages = discord.onExchange(({ method, path, status, response }) => {
    if (method === "POST" && path.endsWith("/typing")) show(dim("  (the bot is typing…)"));
    if (method !== "POST" || !/^\/channels\/\d+\/messages$/.test(path) || status !== 200) return;
    const content = contentOf(response);
    if (content) show(`${bold(`${discord.botUser.username}>`)} ${content.replaceAll("\n", "\n     ")}`);
  });
  io.out(help);
  prompt();
  try {
    for await (const line of untilStopped(io)) {
      const text = line.trim();
      if (text === "/quit") break;
      if (text === "/help") io.out(help);
      else if (text !== "") say(discord, text);
      prompt();
    }
  } finally {
    stopEvents();
    stopMessages();
    io.out("\n");
  }
}

function say(discord: DiscordSimulator, text: string): APIMessage {
  const userId = DEMO.users.ana;
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

function contentOf(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("content" in body)) return null;
  return typeof body.content === "string" ? body.content : null;
}
