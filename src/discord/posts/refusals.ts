import type { Outbox, Post } from "../ports.ts";
import { belongTogether, isDirectHead, isWord, planRefusal } from "./posts.ts";

/** A word stands right behind what it is about, so it is among the first of those that are open. */
const openBound = 1000;

/** What is not to be sent when the post cannot be: the rest of what was for a person alone, and the word about it. */
async function hangingOn(post: Post, outbox: Outbox): Promise<readonly Post[]> {
  if (!isDirectHead(post)) return [];
  const open = await outbox.open(openBound);
  return open.filter(
    (one) =>
      one.nonce !== post.nonce &&
      belongTogether(one, post) &&
      (one.channelId === post.channelId || isWord(one)),
  );
}

/**
 * Marks a post, and what hangs on it, as failed for good. The mark on the post itself comes last: a process that ends
 * before it begins again. Resolves with the nonces of the others.
 */
export async function drop(post: Post, reason: string, outbox: Outbox): Promise<readonly string[]> {
  const hanging = await hangingOn(post, outbox);
  for (const { nonce } of hanging) await outbox.markFailed(nonce, reason);
  await outbox.markFailed(post.nonce, reason);
  return hanging.map(({ nonce }) => nonce);
}

/** Discord refuses a direct message: whoever waits in the channel is told, once however often this is called. */
export async function tellRefusal(post: Post, outbox: Outbox): Promise<void> {
  const word = (await hangingOn(post, outbox)).find(isWord);
  const [userId] = word?.allowedMentionUserIds ?? [];
  if (word === undefined || word.replyToMessageId === null || userId === undefined) return;
  const { purpose, subject, channelId, replyToMessageId } = word;
  if (purpose === "notice") return;
  const refusal = planRefusal({ purpose, subject, channelId, replyToMessageId, userId });
  if (purpose === "answer") await outbox.planAnswer(subject, [refusal]);
  else await outbox.planQuestion(subject, [refusal]);
}
