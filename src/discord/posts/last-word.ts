import type { API } from "@discordjs/core";
import { getLogger } from "@logtape/logtape";
import { sendPost } from "./post-sender.ts";
import { planPosts } from "./posts.ts";

const log = getLogger(["discord-mcp", "discord"]);

/** Answers a message without storing anything of it: sent once, or not at all. Mentions nobody. */
export async function sendLastWord(
  api: API,
  to: { readonly channelId: string; readonly messageId: string },
  text: string,
  signal: AbortSignal,
): Promise<void> {
  const { channelId, messageId } = to;
  const posts = planPosts({
    ...{ purpose: "notice", subject: messageId, channelId, replyToMessageId: messageId, text },
    userId: "",
  });
  for (const post of posts) {
    const sent = await sendPost(api, { ...post, allowedMentionUserIds: [] }, [], signal);
    if (sent.kind !== "sent") log.warn("a last word could not be sent", { outcome: sent.kind });
  }
}
