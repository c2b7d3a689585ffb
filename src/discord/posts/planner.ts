import type { Outbox, UnaskedQuestion } from "../ports.ts";
import type { DirectChannel } from "./direct-channels.ts";
import { planPosts, planPrivate, planRefusal } from "./posts.ts";
import { questionContent } from "./question-text.ts";

export interface PlannerDeps {
  readonly outbox: Outbox;
  readonly directChannel: (userId: string) => DirectChannel | null;
  /** A question cannot be put to anybody: its turn must go on without a yes. */
  readonly giveUp: (question: { readonly approvalId: string; readonly userId: string }) => Promise<void>;
}

type Answer = Awaited<ReturnType<Outbox["undelivered"]>>[number];

const batchSize = 32;
/** What may wait before it holds up what comes after it. */
const leftBound = 1000;

/** Turns answers and questions into stored posts. What waits for a direct channel is left for the next time. */
export class Planner {
  readonly #deps: PlannerDeps;

  constructor(deps: PlannerDeps) {
    this.#deps = deps;
  }

  async plan(): Promise<void> {
    const { outbox } = this.#deps;
    await untilNone(
      (limit) => outbox.undelivered(limit),
      (answer) => this.#answer(answer),
    );
    await untilNone(
      (limit) => outbox.unasked(limit),
      (question) => this.#question(question),
    );
  }

  async #answer({ turnId, answer, answerTo, ...place }: Answer): Promise<boolean> {
    const { outbox, directChannel } = this.#deps;
    const speech = { ...place, purpose: "answer", subject: turnId, text: answer } as const;
    if (answerTo === "channel") {
      await outbox.planAnswer(turnId, planPosts(speech));
      return true;
    }
    const direct = directChannel(place.userId);
    if (direct === null) return false;
    if (direct.kind === "refused") await outbox.planAnswer(turnId, [planRefusal(speech)]);
    else if (direct.channelId === place.channelId) await outbox.planAnswer(turnId, planPosts(speech));
    else await outbox.planAnswer(turnId, planPrivate(speech, direct.channelId));
    return true;
  }

  async #question(question: UnaskedQuestion): Promise<boolean> {
    const { outbox, directChannel, giveUp } = this.#deps;
    const { approvalId, askIn, channelId, replyToMessageId, userId } = question;
    const place = { purpose: "question", subject: approvalId, channelId, replyToMessageId, userId } as const;
    const speech = { ...place, text: questionContent(question) };
    if (askIn === "channel") {
      await outbox.planQuestion(approvalId, planPosts(speech));
      return true;
    }
    const direct = directChannel(userId);
    if (direct === null) return false;
    if (direct.kind === "refused") {
      await outbox.planQuestion(approvalId, [planRefusal(place)]);
      await giveUp(question);
    } else if (direct.channelId === channelId) await outbox.planQuestion(approvalId, planPosts(speech));
    else await outbox.planQuestion(approvalId, planPrivate(speech, direct.channelId));
    return true;
  }
}

/** Takes batch after batch, past those that have to be left, and ends when there are no others. */
async function untilNone<Item>(
  next: (limit: number) => Promise<readonly Item[]>,
  plan: (item: Item) => Promise<boolean>,
): Promise<void> {
  for (let left = 0; left < leftBound; ) {
    const limit = left + batchSize;
    const items = await next(limit);
    left = 0;
    for (const item of items) if (!(await plan(item))) left += 1;
    if (items.length < limit) return;
  }
}
