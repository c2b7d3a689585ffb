import type { APIThreadChannel } from "discord-api-types/v10";
import { channelKind } from "../channels/kinds.ts";
import { madeAt } from "../schemas.ts";

/** A thread as tools give it. */
export function describeThread(thread: APIThreadChannel) {
  const { thread_metadata: metadata } = thread;
  return {
    thread_id: thread.id,
    name: thread.name,
    channel_id: thread.parent_id ?? null,
    type: channelKind(thread.type),
    owner_id: thread.owner_id ?? null,
    message_count: thread.message_count ?? 0,
    created_at: madeAt(thread.id),
    active_at: madeAt(activityOf(thread)),
    ...(metadata?.archived ? { archived_at: metadata.archive_timestamp } : {}),
    ...(metadata?.locked ? { locked: true } : {}),
  };
}

/** The id of what was last written there, which tells when that was. */
export const activityOf = ({ id, last_message_id: last }: APIThreadChannel): string =>
  last != null && BigInt(last) > BigInt(id) ? last : id;
