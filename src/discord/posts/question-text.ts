import type { Approval } from "../../agent/approvals.ts";
import type { UnaskedQuestion } from "../ports.ts";
import { plainText } from "./plain-text.ts";

/** Of Discord's 2,000; the rest is ours. */
const questionLength = 1750;

/** A question as it is posted. Its words can be those of others: they are quoted on one line, as plain text. */
export function questionContent({ kind, userId, question, askIn, expiresAt }: UnaskedQuestion): string {
  const opening = kind === "answer" ? "I need to know from you:" : "May I do this?";
  const only =
    kind === "answer"
      ? "Only who asked me can decide that"
      : "Only who asked me, or somebody who may do the same themselves, can decide that";
  return [
    askIn === "direct" ? opening : `<@${userId}> ${opening}`,
    quoted(question.text),
    `-# ${only}. The question expires <t:${Math.floor(expiresAt / 1000)}:R>.`,
  ].join("\n");
}

/** The same message once it is decided. */
export function verdictContent({ kind, question, state, decidedBy, actor }: Approval): string {
  return [quoted(question.text), verdictLine(kind, state, decidedBy, actor.userId)].join("\n");
}

const quoted = (text: string): string => `> ${plainText(text, questionLength)}`;

function verdictLine(
  kind: Approval["kind"],
  state: Approval["state"],
  decidedBy: string | null,
  askerId: string,
): string {
  const by = decidedBy === null ? "" : ` by <@${decidedBy}>`;
  switch (state) {
    case "approved":
    case "used":
      return kind === "answer" ? `**Approved**${by}: it is posted here.` : `**Approved**${by}.`;
    case "denied":
      return kind === "answer"
        ? `**Not here:** <@${askerId}> gets it in a direct message.`
        : `**Denied**${by}.`;
    case "expired":
      return kind === "answer"
        ? `**Expired:** nobody decided in time, so <@${askerId}> gets it in a direct message.`
        : "**Expired:** nobody decided in time, so it is not done.";
    case "withdrawn":
      return `**Withdrawn:** <@${askerId}> wrote something else since, or stopped it.`;
    case "pending":
      return "This waits for an answer.";
    default:
      return state satisfies never;
  }
}
