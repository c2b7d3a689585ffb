import { nowhere } from "../actor.ts";
import { questions } from "./answers.ts";
import type { Approval, NewApproval } from "./approvals.ts";
import type { AnswerTo, TurnEnd, TurnRecord } from "./journal.ts";
import type { Audience, FlowPort } from "./ports.ts";
import type { Conclusion, TurnProgress } from "./turn-progress.ts";

type Spoken = Pick<TurnRecord, "actor" | "origin">;

/** Who reads what is said in a conversation, whichever way a turn of it came: those who can read its channel. */
export function conversationAudience({
  actor: { guildId, channelId, userId },
}: Pick<TurnRecord, "actor">): Audience {
  return guildId === null || channelId === nowhere
    ? { kind: "user", guildId, userId }
    : { kind: "channel", guildId, channelId };
}

/** Who reads a turn's answer: a program hands it to its person alone. */
export function answerAudience(turn: Spoken): Audience {
  const { guildId, userId } = turn.actor;
  return turn.origin === "program" ? { kind: "user", guildId, userId } : conversationAudience(turn);
}

/** Where words go that are ours alone, and so hold nothing of any place. */
export const ownWordsTo = ({ origin }: Spoken): AnswerTo => (origin === "program" ? "asker" : "channel");

/** The turn's end, where nobody has to be asked about its audience: it goes to its asker anyway, or rests on nothing. */
export function endAtOnce(turn: Spoken, conclusion: Conclusion, progress: TurnProgress): TurnEnd | null {
  const { ownWords: _, ...end } = conclusion;
  return turn.origin === "program" || progress.sources.length === 0
    ? { ...end, answerTo: ownWordsTo(turn) }
    : null;
}

/**
 * The turn's end, with where its answer goes; or `ask`: the asker has to be asked first. `verdict`: what they said
 * when they were. An end in words of ours goes to the channel, and leaves the model's words out of it unless all
 * there may read what they rest on. Throws the signal's reason, for the model's own answer alone.
 */
export async function placeAnswer(
  turn: TurnRecord,
  conclusion: Conclusion,
  { flow, progress, verdict }: { flow: FlowPort; progress: TurnProgress; verdict: Approval | null },
  signal: AbortSignal,
): Promise<TurnEnd | "ask"> {
  const atOnce = endAtOnce(turn, conclusion, progress);
  if (atOnce !== null) return atOnce;
  const { ownWords, ...end } = conclusion;
  const { sources } = progress;
  const audience = answerAudience(turn);
  if (ownWords !== null) {
    // A turn that was stopped does not wait for an answer: it is on the safe side.
    const restricted = signal.aborted
      ? sources
      : await flow.restricted(audience, sources, signal).catch(() => sources);
    return { ...end, answer: restricted.length === 0 ? end.answer : ownWords, answerTo: "channel" };
  }
  if (verdict !== null) return { ...end, answerTo: verdict.state === "approved" ? "channel" : "asker" };
  const restricted = await flow.restricted(audience, sources, signal);
  if (restricted.length === 0) return { ...end, answerTo: "channel" };
  const { guildId } = turn.actor;
  if (guildId === null || flow.policy(guildId) === "direct") return { ...end, answerTo: "asker" };
  return "ask";
}

/** Asks the asker whether an answer may be posted; it names no place, since the name of one may be private, too. */
export function answerQuestion(turn: TurnRecord, expiresAt: number): NewApproval {
  const { id: turnId, conversationId, sessionId, actor } = turn;
  return {
    kind: "answer",
    turnId,
    conversationId,
    sessionId,
    actor,
    step: null,
    toolUseId: null,
    toolName: null,
    input: null,
    question: { text: questions.postHere, publicText: null, fingerprint: turnId },
    askIn: "channel",
    expiresAt,
  };
}
