import type { AppError, ErrorCode } from "../errors.ts";
import type { Approval } from "./approvals.ts";

/** What a person is told when the model's own words are not the whole answer. */
export const answers = {
  stopped: "Stopped.",
  removed: "Stopped before it began.",
  empty: "… I found no words for that. Could you say it in another way?",
  nothingToAdd: "Done.",
  refused: "I can't help with that request. I can help with something else, or with another side of it.",
  cut: "(My answer was cut off here: it reached its length limit. Ask me to go on if you want the rest.)",
  cutBeforeStart:
    "My answer was cut off before it began: it reached its length limit. Please ask for less at a time.",
  turnTokens:
    "I stopped here: this took more work than one message may. Ask me to go on if I should continue.",
  tooOld: "I was interrupted and could not answer in time. Please ask again.",
  tooOften: "I was interrupted too often while I worked on this. Please ask again.",
} as const;

export const stepLimit = (steps: number): string =>
  `I stopped here: this needs more than the ${steps} steps that one message may take. Ask me to go on if I should continue.`;

export function unknownOutcome(toolNames: readonly string[]): string {
  const names = [...new Set(toolNames)].map((name) => `\`${name}\``).join(", ");
  return `(Note: ${names} was interrupted, and I can't tell whether it took effect. Please check before you ask for it again.)`;
}

/** What a person is asked. */
export const questions = {
  postHere: "My answer draws on places that not everybody here can see. Post it here?",
} as const;

/** What stands in the history for what not everybody may read who reads the conversation now. */
export const withheld = {
  turn: "(This answer drew on places that not everybody here can read. It was given in private and is withheld here; look it up again if it is needed.)",
  summary:
    "(The summary of the earlier conversation drew on places that not everybody here can read, and is withheld here; look things up again if they are needed.)",
} as const;

/** What the model is told in place of a tool's result. */
export const toolAnswers = {
  cut: "This call was not run: your reply reached its length limit while you wrote it, so its arguments may be incomplete. Call again with shorter arguments, or answer without it.",
  noTools: "This call was not run: no more tool calls are allowed in this turn. Answer with what you have.",
  tooMany: "This call was not run: too many calls at once. Call again with fewer.",
  tooManyQuestions:
    "This call was not run: it needs a person's approval, and too many questions were asked in this turn already. Tell the person what is left to do.",
  interrupted:
    "The service was restarted while this tool was running: whether it took effect is unknown. Do not repeat it on your own; tell the person.",
  stoppedUnknown:
    "The person stopped the turn while this tool was running: whether it took effect is unknown.",
  stopped: "The person stopped the turn before this tool had a result.",
  broken: "The tool failed for a reason on our side. Do not try again; tell the person.",
  blank: "(no output)",
} as const;

const leaveIt = "Do not try to reach the same in another way; say plainly that it was not done.";

/** What the model is told of a call that a person was asked about and that is not to run. */
export function notApproved({ state, decidedBy, actor, createdAt, expiresAt }: Approval): string {
  if (state === "denied") {
    const who = decidedBy === null || decidedBy === actor.userId ? "The person" : `<@${decidedBy}>`;
    return `This call was not run: ${who} was asked and said no. ${leaveIt}`;
  }
  if (state === "expired") {
    const minutes = Math.max(1, Math.round((expiresAt - createdAt) / 60_000));
    return `This call was not run: nobody approved it within ${minutes} minutes. ${leaveIt} It can be asked for again.`;
  }
  return `This call was not run: it was not approved. ${leaveIt}`;
}

const generic: Partial<Record<ErrorCode, string>> = {
  turn_failed: "I could not finish this. Please try again.",
  discord_unavailable: "Discord could not be reached. Please try again in a few minutes.",
  session_not_found: "This session is gone. Please begin a new one and ask again.",
  session_expired: "This session has expired. Please begin a new one and ask again.",
};

/** Codes whose sentence was written for the person. */
const spoken: readonly ErrorCode[] = [
  "model_unavailable",
  "model_error",
  "budget_exceeded",
  "rate_limited",
  "storage_unavailable",
];

export function failureAnswer(error: AppError): string {
  if (spoken.includes(error.code)) return error.message;
  return (
    generic[error.code] ??
    "Something went wrong on our side. It has been logged; please try again in a few minutes."
  );
}
