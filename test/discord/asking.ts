import type { APIMessage } from "discord-api-types/v10";
import type { Question } from "../../src/agent/approvals.ts";
import type { ToolCallRequest } from "../../src/agent/ports.ts";
import { AppError } from "../../src/errors.ts";
import { attachContract } from "../simulator/discord/openapi-contract.ts";
import { botId, newestText, Rig, type RigOptions, users } from "./harness.ts";

export const question: Question = {
  text: "Ban @ben from Harbour, for: **spam** `x` <@1> [here](https://evil.example)\n> quoted",
  publicText: null,
  fingerprint: "f",
};

export interface Asking {
  readonly options: RigOptions;
  /** Calls that came with a yes. */
  readonly ran: ToolCallRequest[];
}

/** A model that calls one tool, which asks first, and then says how that went; the owner and the asker may approve it. */
export function asking(asked: Question = question, more: RigOptions = {}): Asking {
  const ran: ToolCallRequest[] = [];
  const options: RigOptions = {
    ...more,
    answer: (request) => {
      const result = resultOf(request.messages.at(-1)?.content);
      if (result !== null) return `Result: ${result}`;
      if (newestText(request).endsWith("plain")) return "Plainly.";
      return [
        { type: "tool_use", id: "toolu_1", name: "ban", input: { user: "ben" }, caller: { type: "direct" } },
      ];
    },
    turnTools: {
      isRepeatable: () => false,
      async call(call) {
        if (call.approval === null)
          return { kind: "asked", text: "", isError: false, sources: [], question: asked };
        ran.push(call);
        return {
          kind: "done",
          text: `banned, as ${call.approval.approvedBy} said`,
          isError: false,
          sources: [],
        };
      },
      async assertMayApprove(_approval, { userId }) {
        if (userId === users.ana || userId === users.owner) return;
        throw new AppError("permission_denied", "@ben cannot Ban Members in Harbour.");
      },
      ...more.turnTools,
    },
  };
  return { options, ran };
}

function resultOf(content: unknown): string | null {
  if (!Array.isArray(content)) return null;
  const block = content.find((one) => one.type === "tool_result");
  return block === undefined ? null : JSON.stringify(block.content);
}

export async function startAsking(asked: Question = question, more: RigOptions = {}) {
  const { options, ran } = asking(asked, more);
  const rig = await Rig.start(options);
  const contract = attachContract(rig.sim);
  return { rig, ran, contract };
}

interface Button {
  readonly custom_id: string;
  readonly label: string;
}

export const buttons = (message: APIMessage): readonly Button[] =>
  (message.components ?? []).flatMap((row) => ("components" in row ? (row.components as never) : []));

/** The bot's message with buttons, in that channel. */
export const askedIn = (rig: Rig, channelId: string, options: { since?: number } = {}) =>
  rig.sim.waitForMessage(
    (one) => one.channel_id === channelId && one.author.id === botId && buttons(one).length > 0,
    options,
  );

export function press(rig: Rig, message: APIMessage, word: "approve" | "deny", userId: string = users.ana) {
  const customId = buttons(message).find((button) => button.custom_id.startsWith(word))?.custom_id ?? "";
  return rig.sim.interact.press({ userId, messageId: message.id, customId });
}

/** The message once its buttons are gone. */
export const decidedMessage = (rig: Rig, messageId: string) =>
  rig.sim.waitForMessage((one) => one.id === messageId && buttons(one).length === 0);

/** What the bot answered to an interaction, seen by who began it alone. */
export const whisper = (rig: Rig, since: number) =>
  rig.sim.waitForMessage((one) => ((one.flags ?? 0) & 64) !== 0, { since });

export const edits = (rig: Rig, messageId: string) =>
  rig.sim.requests.filter(
    ({ method, path }) => method === "PATCH" && path.endsWith(`/messages/${messageId}`),
  );
