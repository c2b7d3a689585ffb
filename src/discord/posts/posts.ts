import type { Post } from "../ports.ts";
import { postNonce } from "./nonce.ts";
import { splitMessage } from "./split.ts";

/** An answer of more messages than this would drown a channel. */
const maxPosts = 20;
const cutNote = "\n\n*(The rest of this answer was too long for Discord and is left out.)*";
const blank = "(The answer is empty.)";

/** Behind all that an answer can be split into. */
const wordOrdinal = 100;
const refusedWordOrdinal = 101;

export interface Speech {
  readonly purpose: Post["purpose"];
  readonly subject: string;
  readonly channelId: string;
  /** Null in a direct message that belongs to what was written elsewhere. */
  readonly replyToMessageId: string | null;
  readonly userId: string;
  readonly text: string;
}

/** The posts of an answer or a notice. The first is the reply and the only one that may ping, and only who is replied to. */
export function planPosts({ text, ...speech }: Speech): Post[] {
  const all = splitMessage(text);
  const chunks = all.length === 0 ? [blank] : all.slice(0, maxPosts);
  if (all.length > maxPosts)
    chunks[maxPosts - 1] = splitMessage(chunks[maxPosts - 1] ?? "", 1900)[0] + cutNote;
  return chunks.map((content, ordinal) =>
    post({ ...speech, replyToMessageId: ordinal === 0 ? speech.replyToMessageId : null }, ordinal, content),
  );
}

function post(
  { purpose, subject, channelId, replyToMessageId, userId }: Omit<Speech, "text">,
  ordinal: number,
  content: string,
): Post {
  return {
    nonce: postNonce(purpose, subject, 0, ordinal),
    purpose,
    subject,
    ordinal,
    channelId,
    replyToMessageId,
    content,
    allowedMentionUserIds: replyToMessageId === null ? [] : [userId],
    state: "pending",
    sendingAt: null,
    messageId: null,
  };
}

/* ---- what goes to a person alone ------------------------------------------------------------------ */

const words = {
  answer: {
    sent: "I have sent you the answer in a direct message: it draws on places that not everybody here can see.",
    refused:
      "The answer draws on places that not everybody here can see, and I could not send you a direct message. Allow direct messages in this server's privacy settings, then ask again.",
  },
  question: {
    sent: "I have asked you something in a direct message.",
    refused:
      "I have to ask you something that is not for everybody here, and could not send you a direct message, so it is not done. Allow direct messages in this server's privacy settings, then ask again.",
  },
} as const;

export type PrivatePurpose = keyof typeof words;
/** What was written in a channel and is answered elsewhere. */
export type Place = Pick<Speech, "subject" | "channelId" | "userId"> & { readonly purpose: PrivatePurpose };

/**
 * What goes to the person's direct channel, and a word about it, without content, where they wrote. The word waits until
 * the first of the others has arrived; where that is refused, `planRefusal` takes its place.
 */
export function planPrivate(
  place: Place & { readonly replyToMessageId: string; readonly text: string },
  directChannelId: string,
): Post[] {
  const direct = planPosts({ ...place, channelId: directChannelId, replyToMessageId: null });
  return [...direct, post(place, wordOrdinal, words[place.purpose].sent)];
}

export function planRefusal(place: Place & { readonly replyToMessageId: string }): Post {
  return post(place, refusedWordOrdinal, words[place.purpose].refused);
}

/** Only what belongs elsewhere begins without being a reply. */
export const isDirectHead = ({ ordinal, replyToMessageId }: Post): boolean =>
  ordinal === 0 && replyToMessageId === null;

export const isWord = ({ ordinal }: Post): boolean => ordinal === wordOrdinal;

export const belongTogether = (a: Post, b: Post): boolean =>
  a.purpose === b.purpose && a.subject === b.subject;

/** Those that may go out: not the words about what has not arrived yet, nor, of a list that was cut, what could be such. */
export function due(open: readonly Post[], isCut: boolean): readonly Post[] {
  const heads = open.filter(isDirectHead);
  return open.filter((one) => !isWord(one) || !(isCut || heads.some((head) => belongTogether(head, one))));
}
