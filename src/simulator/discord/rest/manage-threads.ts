import {
  type APIThreadChannel,
  AuditLogEvent,
  ChannelFlags,
  ChannelType,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import type { ChannelPatch } from "../channel-changes.ts";
import { sendPermission } from "../permissions.ts";
import type { SimulatedGuild } from "../world.ts";
import { botPermissions } from "./access.ts";
import { audit, changesOf } from "./audit.ts";
import { ok, type RestReply, type RestRequest } from "./context.ts";
import { archivedThread, missingPermissions } from "./errors.ts";
import { Form } from "./form.ts";
import { readAppliedTags, requireTags } from "./forum-tags.ts";
import { archiveMinutes } from "./threads.ts";

interface ThreadEdit {
  readonly name: string | null;
  readonly archived: boolean | null;
  readonly locked: boolean | null;
  readonly invitable: boolean | null;
  readonly archiveAfter: number | null;
  readonly slowMode: number | null;
  readonly flags: number | null;
  readonly tags: string[] | null;
}

function readEdit(request: RestRequest): ThreadEdit {
  const form = new Form(request.body);
  const edit = {
    name: form.text("name", { min: 1, max: 100 }),
    archived: form.flag("archived"),
    locked: form.flag("locked"),
    invitable: form.flag("invitable"),
    archiveAfter: form.choice("auto_archive_duration", archiveMinutes),
    slowMode: form.integer("rate_limit_per_user", { min: 0, max: 21_600 }),
    flags: form.integer("flags", { min: 0, max: 2 ** 31 - 1 }),
    tags: readAppliedTags(form),
  };
  form.check();
  return edit;
}

/**
 * Whoever may write there opens a thread again unless it is locked; its maker renames and archives it; the rest takes
 * MANAGE_THREADS: https://discord.com/developers/docs/topics/threads#editing-deleting-threads
 */
function requireEdit(request: RestRequest, thread: APIThreadChannel, edit: ThreadEdit): void {
  const held = botPermissions(request, thread);
  if (held & PermissionFlagsBits.ManageThreads) return;
  const { archived, locked, invitable, slowMode, flags, name, archiveAfter, tags } = edit;
  const isManaging = [locked, invitable, slowMode, flags].some((field) => field !== null);
  const isReopening = archived === false;
  const isKeeping = [name, archiveAfter, tags].some((field) => field !== null) || archived === true;
  const isOwner = thread.owner_id === request.world.botUser.id;
  if (isManaging || (isKeeping && !isOwner)) throw missingPermissions();
  const mayReopen = thread.thread_metadata?.locked !== true && (held & sendPermission(thread)) !== 0n;
  if (isReopening && !mayReopen) throw missingPermissions();
}

/** https://discord.com/developers/docs/resources/channel#modify-channel-json-params-thread */
export function updateThread(
  request: RestRequest,
  guild: SimulatedGuild,
  thread: APIThreadChannel,
): RestReply {
  const edit = readEdit(request);
  requireEdit(request, thread, edit);
  const metadata = thread.thread_metadata;
  if (metadata?.archived && edit.archived !== false) throw archivedThread();
  const forum = guild.channels.get(thread.parent_id ?? "");
  const isPost = forum?.type === ChannelType.GuildForum;
  const patch: ChannelPatch = {
    ...(edit.name === null ? {} : { name: edit.name }),
    ...(edit.slowMode === null ? {} : { rate_limit_per_user: edit.slowMode }),
    ...(edit.flags === null || !isPost ? {} : { flags: edit.flags & ChannelFlags.Pinned }),
    ...(edit.tags === null || !isPost ? {} : { applied_tags: requireTags(request, forum, edit.tags) }),
    ...(metadata === undefined ? {} : { thread_metadata: newMetadata(request, thread, metadata, edit) }),
  };
  const { thread_metadata: after, ...plain } = patch;
  const changes = changesOf(
    { ...thread, ...metadata },
    {
      ...plain,
      ...(after === undefined ? {} : { archived: after.archived, locked: after.locked }),
    },
  );
  const changed = request.changes.channels.update(thread.id, patch);
  audit(request, guild, AuditLogEvent.ThreadUpdate, thread.id, changes);
  return ok(changed);
}

type Metadata = NonNullable<APIThreadChannel["thread_metadata"]>;

function newMetadata(
  request: RestRequest,
  thread: APIThreadChannel,
  metadata: Metadata,
  edit: ThreadEdit,
): Metadata {
  const archived = edit.archived ?? metadata.archived;
  const isPrivate = thread.type === ChannelType.PrivateThread;
  return {
    ...metadata,
    archived,
    locked: edit.locked ?? metadata.locked ?? false,
    auto_archive_duration: edit.archiveAfter ?? metadata.auto_archive_duration,
    ...(edit.invitable === null || !isPrivate ? {} : { invitable: edit.invitable }),
    ...(archived === metadata.archived
      ? {}
      : { archive_timestamp: new Date(request.world.now()).toISOString() }),
  };
}
