import {
  type APIAuditLogEntry,
  type APIChannel,
  ChannelType,
  type RESTGetAPIAuditLogResult,
} from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import type { GuildFacts } from "../../permissions/facts.ts";
import { madeAt } from "../argument-schemas.ts";
import { note, nullable, timestamp } from "../result-schemas.ts";
import { actionName, isAboutChannel, isAboutEvent, isAboutInvite, isAboutWebhook } from "./audit-actions.ts";

const maxChanges = 20;
const maxText = 200;
const ids = /\d{15,20}/g;

const placeShape = Type.Object({
  channel_id: Type.String(),
  channel: Type.String({ description: "Its name." }),
});
type Place = Static<typeof placeShape>;

const targetShape = Type.Object(
  {
    channel_id: Type.Optional(Type.String()),
    channel: Type.Optional(Type.String({ description: "Its name." })),
    user_id: Type.Optional(Type.String()),
    role_id: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    id: Type.Optional(Type.String({ description: "Of what is neither channel, nor user, nor role." })),
  },
  { description: "What was changed." },
);

const changedTo = Type.Optional(Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]));
const changesShape = Type.Object({
  changes: Type.Optional(Type.Array(Type.Object({ what: Type.String(), from: changedTo, to: changedTo }))),
  more_changes: Type.Optional(Type.Integer({ description: "How many are not shown." })),
});

/** An entry as tools give it. */
export const entryShape = Type.Object({
  entry_id: Type.String(),
  action: Type.String({ description: "Such as member_ban_add." }),
  by: nullable(Type.Object({ user_id: Type.String(), name: nullable(Type.String()) })),
  at: timestamp("When."),
  note,
  target: Type.Optional(targetShape),
  in: Type.Optional(placeShape),
  count: Type.Optional(Type.String({ description: "How many it was done to." })),
  message_id: Type.Optional(Type.String()),
  for_role: Type.Optional(Type.String()),
  inactive_days: Type.Optional(Type.String({ description: "Of a prune." })),
  reason: Type.Optional(Type.String()),
  ...changesShape.properties,
});
type Entry = Static<typeof entryShape>;

/** What entries are told with: the channels by what the actor sees of them, and the names of people and roles. */
export interface Told {
  readonly guild: GuildFacts;
  /** All of the guild's, threads apart, that Discord shows to the bot. */
  readonly channels: readonly APIChannel[];
  readonly visible: readonly APIChannel[];
  readonly log: RESTGetAPIAuditLogResult;
}

export interface ToldEntries {
  readonly entries: readonly Entry[];
  /** Of channels, threads apart, that the entries name or are about. */
  readonly channelIds: readonly string[];
}

/**
 * Entries as the tool gives them. What concerns a channel that the actor cannot see (or that is gone, since nobody can
 * say any more who saw it) is told without anything that names or describes it: who did what, and when.
 */
export function tellEntries(entries: readonly APIAuditLogEntry[], told: Told): ToldEntries {
  const names = new Map(told.log.users.map((user) => [user.id, user.global_name ?? user.username]));
  const seen = new Map(told.visible.map((channel) => [channel.id, channel]));
  const threads = new Map(
    told.log.threads.flatMap((thread) =>
      "parent_id" in thread && seen.has(thread.parent_id ?? "") && thread.type !== ChannelType.PrivateThread
        ? [[thread.id, { name: thread.name, parentId: thread.parent_id ?? "" }] as const]
        : [],
    ),
  );
  const hidden = new Set(told.channels.flatMap(({ id }) => (seen.has(id) ? [] : [id])));
  const named = new Set<string>();
  const name = (id: string): void => {
    const channelId = threads.get(id)?.parentId ?? id;
    if (seen.has(channelId)) named.add(channelId);
  };
  const place = (id: string): Place | null => {
    const thread = threads.get(id);
    const channel = seen.get(id)?.name ?? thread?.name;
    return channel == null ? null : { channel_id: id, channel };
  };
  const tell = (entry: APIAuditLogEntry): Entry => {
    const who =
      entry.user_id === null ? null : { user_id: entry.user_id, name: names.get(entry.user_id) ?? null };
    const head = { entry_id: entry.id, action: actionName(entry.action_type), by: who, at: madeAt(entry.id) };
    const concerned = channelsOf(entry, told.log);
    const mentioned = JSON.stringify(entry).match(ids) ?? [];
    const isHidden =
      concerned.some((id) => !seen.has(id) && !threads.has(id)) || mentioned.some((id) => hidden.has(id));
    if (isHidden) return { ...head, note: "about a channel that you cannot see, or that is gone" };
    for (const id of [...concerned, ...mentioned]) name(id);
    const { target_id: targetId, reason, options } = entry;
    const at = options?.channel_id === undefined ? null : place(options.channel_id);
    return {
      ...head,
      ...(targetId === null ? {} : { target: targetOf(entry, targetId, place, names, told.guild) }),
      ...(at === null ? {} : { in: at }),
      ...(options?.count === undefined ? {} : { count: options.count }),
      ...(options?.message_id === undefined ? {} : { message_id: options.message_id }),
      ...(options?.role_name === undefined ? {} : { for_role: options.role_name }),
      ...(options?.delete_member_days === undefined ? {} : { inactive_days: options.delete_member_days }),
      ...(reason === undefined ? {} : { reason }),
      ...changesOf(entry),
    };
  };
  const value = entries.map(tell);
  return { entries: value, channelIds: [...named] };
}

/** Channels that the entry is about, whether they still exist or not; `unknown` where it cannot be said. */
function channelsOf(entry: APIAuditLogEntry, log: RESTGetAPIAuditLogResult): readonly string[] {
  const { action_type: type, target_id: target, options, changes = [] } = entry;
  const mentioned = changes.flatMap(({ key, old_value: old, new_value: now }) =>
    key.endsWith("channel_id") ? [old, now].filter((one) => typeof one === "string") : [],
  );
  const known = [
    ...(isAboutChannel(type) && target !== null ? [target] : []),
    ...(options?.channel_id === undefined ? [] : [options.channel_id]),
    ...mentioned,
  ];
  return known.length > 0 ? known : homeOf(entry, log);
}

const unknown = "unknown";

/** Webhooks, invites and most events belong to a channel, which a change of them need not mention. */
function homeOf(
  { action_type: type, target_id: target }: APIAuditLogEntry,
  { webhooks, guild_scheduled_events: events }: RESTGetAPIAuditLogResult,
): readonly string[] {
  if (isAboutWebhook(type)) return [webhooks.find(({ id }) => id === target)?.channel_id ?? unknown];
  if (isAboutInvite(type)) return [unknown];
  if (!isAboutEvent(type)) return [];
  const event = events.find(({ id }) => id === target);
  if (event === undefined) return [unknown];
  return event.channel_id === null ? [] : [event.channel_id];
}

function targetOf(
  { action_type: type }: APIAuditLogEntry,
  id: string,
  place: (id: string) => Place | null,
  names: ReadonlyMap<string, string>,
  guild: GuildFacts,
): Static<typeof targetShape> {
  const channel = isAboutChannel(type) ? place(id) : null;
  if (channel !== null) return channel;
  const name = names.get(id);
  if (name !== undefined) return { user_id: id, name };
  const role = guild.roles.get(id);
  return role === undefined ? { id } : { role_id: id, name: role.name };
}

function changesOf({ changes = [] }: APIAuditLogEntry): Static<typeof changesShape> {
  if (changes.length === 0) return {};
  const told = changes.slice(0, maxChanges).map(({ key, old_value: old, new_value: now }) => ({
    what: key,
    ...(old === undefined ? {} : { from: short(old) }),
    ...(now === undefined ? {} : { to: short(now) }),
  }));
  return {
    changes: told,
    ...(changes.length > maxChanges ? { more_changes: changes.length - maxChanges } : {}),
  };
}

function short(value: unknown): Static<typeof changedTo> {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > maxText ? `${text.slice(0, maxText).toWellFormed()}…` : text;
}
