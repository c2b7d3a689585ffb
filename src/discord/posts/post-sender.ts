import type { API } from "@discordjs/core";
import { DiscordAPIError } from "@discordjs/rest";
import {
  type APIActionRowComponent,
  type APIButtonComponentWithCustomId,
  type APIMessage,
  MessageFlags,
} from "discord-api-types/v10";
import { compareSnowflakes, isNewer, snowflakeAt } from "../../snowflake.ts";
import { abortable } from "../../waiting.ts";
import { listOf } from "../fits.ts";
import type { Post } from "../ports.ts";
import { isMessage, isPosted } from "../promised-shapes.ts";
import { sensible } from "../rest/errors.ts";

export type SendResult =
  | { readonly kind: "sent"; readonly messageId: string }
  /** It may have been posted: a 5xx, a reset, a time-out, no sense in the answer. Looked for before it is sent again. */
  | { readonly kind: "unknown" }
  /** Discord will never take it. */
  | { readonly kind: "failed"; readonly reason: string };

export type PostComponents = readonly APIActionRowComponent<APIButtonComponentWithCustomId>[];

/** Long enough for a wait in the queue of a rate limit. */
const sendMs = 60_000;
const pageSize = 100;
const pages = 5;
/** What our clock and Discord's may differ by. */
const clockMs = 5 * 60_000;

/** Sends a post once. A rate limit is waited for by the client, which repeats nothing else. */
export async function sendPost(
  api: API,
  post: Post,
  components: PostComponents,
  stop: AbortSignal,
): Promise<SendResult> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(sendMs)]);
  const { replyToMessageId, allowedMentionUserIds } = post;
  try {
    const request = api.channels.createMessage(
      post.channelId,
      {
        content: post.content,
        nonce: post.nonce,
        enforce_nonce: true,
        allowed_mentions: {
          parse: [],
          users: [...allowedMentionUserIds],
          replied_user: allowedMentionUserIds.length > 0,
        },
        // A question's words can be those of others, whose links are nobody's to show.
        ...(components.length === 0
          ? {}
          : { components: [...components], flags: MessageFlags.SuppressEmbeds }),
        ...(replyToMessageId === null
          ? {}
          : { message_reference: { message_id: replyToMessageId, fail_if_not_exists: false } }),
      },
      { signal },
    );
    const { id } = sensible(await abortable(request, signal), "post", isPosted);
    return { kind: "sent", messageId: id };
  } catch (error) {
    if (!(error instanceof DiscordAPIError) || error.status === 401 || error.status >= 500)
      return { kind: "unknown" };
    return { kind: "failed", reason: `discord ${error.status} ${error.code}` };
  }
}

/**
 * Looks for a post among our own messages: by nonce where Discord gives one, else by content, and for a reply by what
 * it replies to. `isClaimed` says that a message is another post. Throws as the REST client does, and AppError.
 */
export async function findPost(
  api: API,
  post: Post,
  botUserId: string,
  isClaimed: (messageId: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<string | null> {
  let after = post.replyToMessageId ?? snowflakeAt((post.sendingAt ?? 0) - clockMs);
  for (let page = 0; page < pages; page += 1) {
    const query = { after, limit: pageSize };
    const request = api.channels.getMessages(post.channelId, query, { signal });
    const messages = sensible(await abortable(request, signal), "messages", listOf(isMessage));
    const oldestFirst = messages.toSorted((a, b) => compareSnowflakes(a.id, b.id));
    for (const message of oldestFirst) {
      if (isSamePost(message, post, botUserId) && !(await isClaimed(message.id))) return message.id;
    }
    const newest = oldestFirst.at(-1)?.id;
    if (messages.length < pageSize || newest === undefined || !isNewer(newest, after)) return null;
    after = newest;
  }
  return null;
}

function isSamePost(message: APIMessage, post: Post, botUserId: string): boolean {
  if (message.author.id !== botUserId) return false;
  if (message.nonce !== undefined) return String(message.nonce) === post.nonce;
  if (message.content.trim() !== post.content.trim()) return false;
  return (message.message_reference?.message_id ?? null) === post.replyToMessageId;
}
