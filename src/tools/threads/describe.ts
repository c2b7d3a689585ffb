import type { APIThreadChannel } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { madeAt } from "../argument-schemas.ts";
import { channelKind } from "../channels/kinds.ts";
import { flag, nullable, timestamp } from "../result-schemas.ts";

const common = {
  channel_id: nullable(Type.String({ description: "Where it is." })),
  owner_id: nullable(Type.String({ description: "Who started it." })),
  message_count: Type.Integer(),
  created_at: timestamp("When it was started."),
  active_at: timestamp("When something was last written in it."),
  archived_at: Type.Optional(timestamp("Since when it is archived, if it is.")),
  locked: flag("It is locked."),
};

/** A thread as tools give it. */
export const threadShape = Type.Object({
  thread_id: Type.String(),
  name: Type.String(),
  type: Type.String(),
  ...common,
});

/** A forum's post as tools give it. */
export const postShape = Type.Object({
  thread_id: Type.String(),
  title: Type.String(),
  tags: Type.Array(Type.String()),
  pinned: flag("It is pinned."),
  ...common,
});

export function describeThread(thread: APIThreadChannel): Static<typeof threadShape> {
  const { thread_metadata: metadata } = thread;
  const since = archivedAt(thread);
  return {
    thread_id: thread.id,
    name: thread.name,
    channel_id: thread.parent_id ?? null,
    type: channelKind(thread.type),
    owner_id: thread.owner_id ?? null,
    message_count: thread.message_count ?? 0,
    created_at: madeAt(thread.id),
    active_at: madeAt(activityOf(thread)),
    ...(metadata?.archived && since !== undefined ? { archived_at: since } : {}),
    ...(metadata?.locked ? { locked: true } : {}),
  };
}

/** The id of what was last written there, which tells when that was. */
export const activityOf = ({ id, last_message_id: last }: APIThreadChannel): string =>
  last != null && BigInt(last) > BigInt(id) ? last : id;

/** Since when it is archived, or when it last was: Discord may not say. */
export const archivedAt = (thread: APIThreadChannel | undefined): string | undefined =>
  thread?.thread_metadata?.archive_timestamp ?? undefined;
