import type { Actor } from "../../actor.ts";
import type { TurnService } from "../../agent/turn-service.ts";
import type { Session } from "../../sessions/ports.ts";
import type { CommandName } from "./chat.ts";

export interface ListedTool {
  readonly title: string;
  readonly family: string;
}

/** The tools that an actor may use, as the registry has them. */
export interface ChatTools {
  list(actor: Actor): Promise<readonly ListedTool[]>;
}

export interface CommandDeps {
  readonly turns: Pick<TurnService, "reset" | "cancel">;
  readonly tools: ChatTools;
}

const maxTools = 100;

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

/** A line for each family: the whole list fits into one message. */
function listTools(tools: readonly ListedTool[]): string {
  if (tools.length === 0) return "There are no tools that you may use here.";
  const shown = tools.slice(0, maxTools);
  const lines = [...Map.groupBy(shown, ({ family }) => family)].map(
    ([family, ofFamily]) =>
      `- **${family}**: ${ofFamily.map(({ title }) => title.toLowerCase()).join(" · ")}`,
  );
  const more = tools.length > maxTools ? [`and ${tools.length - maxTools} more.`] : [];
  return ["What I can do for you here, as far as Discord lets you do it yourself:", ...lines, ...more].join(
    "\n",
  );
}
