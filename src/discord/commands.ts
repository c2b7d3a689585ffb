import type { Actor } from "../actor.ts";
import type { TurnService } from "../agent/turn-service.ts";
import type { Session } from "../sessions/ports.ts";
import type { CommandName } from "./chat.ts";

/** The tools that an actor may use, as the registry has them. */
export interface ChatTools {
  list(actor: Actor): Promise<readonly { readonly name: string; readonly description: string }[]>;
}

export interface CommandDeps {
  readonly turns: Pick<TurnService, "reset" | "cancel">;
  readonly tools: ChatTools;
}

const MAX_TOOLS = 60;
const MAX_DESCRIPTION = 160;

/** Runs a command and says what the person is told. Each may run twice without harm. */
export async function runCommand(
  command: CommandName,
  actor: Actor,
  session: Session,
  { turns, tools }: CommandDeps,
): Promise<string> {
  switch (command) {
    case "reset":
      await turns.reset(actor.userId, actor.channelId, actor.guildId);
      return "Done: I start afresh. What was said before between us in this channel is no longer part of our conversation.";
    case "stop": {
      const { stopped, removed } = await turns.cancel(session.conversationId);
      if (stopped.length + removed.length === 0) return "There is nothing of yours to stop here.";
      const waiting =
        removed.length === 0 ? "" : ` and took ${count(removed.length, "waiting message")} out of the queue`;
      return `Stopped${waiting}.`;
    }
    case "tools":
      return listTools(await tools.list(actor));
    default:
      return command satisfies never;
  }
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

function listTools(tools: readonly { readonly name: string; readonly description: string }[]): string {
  if (tools.length === 0) return "There are no tools that you may use here.";
  const lines = tools
    .slice(0, MAX_TOOLS)
    .map(({ name, description }) => `- \`${name}\`: ${firstSentence(description)}`);
  const more = tools.length > MAX_TOOLS ? [`and ${tools.length - MAX_TOOLS} more.`] : [];
  return ["Tools that I can use for you here:", ...lines, ...more].join("\n");
}

function firstSentence(description: string): string {
  const sentence = /^.*?[.!?](?=\s|$)/s.exec(description)?.[0] ?? description;
  const line = sentence.replaceAll(/\s+/g, " ").trim();
  return line.length > MAX_DESCRIPTION ? `${line.slice(0, MAX_DESCRIPTION).toWellFormed()}…` : line;
}
