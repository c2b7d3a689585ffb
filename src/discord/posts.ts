import { postNonce } from "./nonce.ts";
import type { Post } from "./ports.ts";
import { splitMessage } from "./split.ts";

/** An answer of more messages than this would drown a channel. */
const MAX_POSTS = 20;
const CUT = "\n\n*(The rest of this answer was too long for Discord and is left out.)*";
const BLANK = "(The answer is empty.)";

export interface Speech {
  readonly purpose: Post["purpose"];
  readonly subject: string;
  readonly channelId: string;
  readonly replyToMessageId: string;
  readonly userId: string;
  readonly text: string;
}

/** The posts of an answer or a notice. The first is the reply and the only one that may ping, and only who is replied to. */
export function planPosts({ purpose, subject, channelId, replyToMessageId, userId, text }: Speech): Post[] {
  const all = splitMessage(text);
  const chunks = all.length === 0 ? [BLANK] : all.slice(0, MAX_POSTS);
  if (all.length > MAX_POSTS)
    chunks[MAX_POSTS - 1] = splitMessage(chunks[MAX_POSTS - 1] ?? "", 1900)[0] + CUT;
  return chunks.map((content, ordinal) => ({
    nonce: postNonce(purpose, subject, 0, ordinal),
    purpose,
    subject,
    ordinal,
    channelId,
    replyToMessageId: ordinal === 0 ? replyToMessageId : null,
    content,
    allowedMentionUserIds: ordinal === 0 ? [userId] : [],
    state: "pending",
    sendingAt: null,
    messageId: null,
  }));
}
