import {
  type APIApplication,
  type APIAttachment,
  type APIAuditLogChange,
  type APIAuditLogEntry,
  type APIBan,
  type APIChannel,
  type APIEmbed,
  type APIEmoji,
  type APIGatewayBotInfo,
  type APIGuild,
  type APIGuildForumTag,
  type APIGuildMember,
  type APIMessage,
  type APIMessagePin,
  type APIMessageReference,
  type APIMessageSnapshot,
  type APIOverwrite,
  type APIPoll,
  type APIReaction,
  type APIRole,
  type APIStickerItem,
  type APIThreadMember,
  type APIThreadMetadata,
  type APIUser,
  ChannelType,
  type GatewayGuildMemberUpdateDispatchData,
  OverwriteType,
  type RESTAPIPartialCurrentUserGuild,
  type RESTGetAPIAuditLogResult,
  type RESTGetAPIChannelMessagesPinsResult,
  type RESTGetAPIGuildChannelsResult,
  type RESTGetAPIGuildMessagesSearchResult,
} from "discord-api-types/v10";
import {
  both,
  type Fits,
  isAnything,
  isBits,
  isBoolean,
  isId,
  isNumber,
  isObject,
  isOneOf,
  isText,
  isTime,
  isWhole,
  listOf,
  maybe,
  object,
  orNothing,
  orNull,
} from "./fits.ts";

/*
 * What Discord's description promises of what it gives, by REST and by the gateway, as far as we go by it: every field
 * that is read anywhere is named here, and checked where it comes in, so that everything behind may go by its type.
 * https://github.com/discord/discord-api-spec. What may be missing is not asked for, so that nothing real is refused.
 */

export const isUser = object<APIUser>({
  ...{ id: isId, username: isText, global_name: orNothing(isText) },
  ...{ bot: maybe(isBoolean), system: maybe(isBoolean) },
});

const memberFields = {
  ...{ roles: listOf(isId), nick: orNothing(isText), joined_at: orNull(isTime) },
  ...{ communication_disabled_until: orNothing(isTime), premium_since: orNothing(isTime) },
  ...{ pending: maybe(isBoolean), flags: maybe(isWhole) },
};
export const isMember = object<APIGuildMember | GatewayGuildMemberUpdateDispatchData>({
  ...memberFields,
  user: isUser,
});
/** As a message brings its author's: it names the user itself. */
export const isMemberOfItsAuthor = object<Omit<APIGuildMember, "user">>(memberFields);
/** With all that decides what somebody may do, whether it is needed or not. */
export const isWholeMember = both(
  isMember,
  object<Required<Pick<APIGuildMember, "pending" | "flags" | "communication_disabled_until">>>({
    pending: isBoolean,
    flags: isWhole,
    communication_disabled_until: orNull(isTime),
  }),
);

export const isRole = object<APIRole>({
  ...{ id: isId, name: isText, permissions: isBits, position: isWhole, color: isWhole },
  ...{ hoist: isBoolean, managed: isBoolean, mentionable: isBoolean },
  tags: maybe(object({ bot_id: maybe(isId) })),
});

const isOverwrite = object<APIOverwrite>({
  ...{ id: isId, type: isOneOf(OverwriteType.Role, OverwriteType.Member), allow: isBits, deny: isBits },
});
const isTag = object<APIGuildForumTag>({ id: isId, name: isText, moderated: isBoolean });
const isThreadMetadata = object<APIThreadMetadata>({
  ...{ archived: isBoolean, locked: maybe(isBoolean), invitable: maybe(isBoolean) },
  archive_timestamp: orNothing(isTime),
});
type AnyChannel = APIChannel | RESTGetAPIGuildChannelsResult[number];
const isChannelOfAnyKind = object<AnyChannel>({
  ...{ id: isId, type: isWhole, name: orNothing(isText), guild_id: maybe(isId), flags: maybe(isWhole) },
  ...{ parent_id: orNothing(isId), position: maybe(isWhole), topic: orNothing(isText) },
  ...{ nsfw: maybe(isBoolean), rate_limit_per_user: orNothing(isWhole), owner_id: orNothing(isId) },
  ...{ permission_overwrites: maybe(listOf(isOverwrite)), recipients: maybe(listOf(isUser)) },
  ...{ bitrate: maybe(isWhole), user_limit: maybe(isWhole), last_message_id: orNothing(isId) },
  ...{ available_tags: maybe(listOf(isTag)), applied_tags: maybe(listOf(isId)) },
  ...{
    thread_metadata: maybe(isThreadMetadata),
    message_count: maybe(isWhole),
    member_count: maybe(isWhole),
  },
});

const direct: readonly unknown[] = [ChannelType.DM, ChannelType.GroupDM];
const threads: readonly unknown[] = [
  ...[ChannelType.PublicThread, ChannelType.PrivateThread, ChannelType.AnnouncementThread],
];
const isNamed = object<{ name: string }>({ name: isText });
const isWholeThread = object<{ name: string; thread_metadata: APIThreadMetadata }>({
  name: isText,
  thread_metadata: isThreadMetadata,
});
/** Channels, threads and direct messages, each with what its kind always has. */
export const isChannel: Fits<AnyChannel> = (channel) => {
  if (!isChannelOfAnyKind(channel) || !isObject(channel)) return false;
  if (threads.includes(channel.type)) return isWholeThread(channel);
  return direct.includes(channel.type) || isNamed(channel);
};

export const isEmoji = object<APIEmoji>({
  ...{ id: orNull(isId), name: orNull(isText), roles: maybe(listOf(isId)), available: maybe(isBoolean) },
});
/** As far as permissions go by it: the gateway gives no more of many a server. */
export const isGuild = object<APIGuild>({
  ...{ id: isId, name: isText, owner_id: isId, roles: listOf(isRole) },
  ...{ mfa_level: isWhole, verification_level: isWhole },
});
export const isDescribedGuild = both(
  isGuild,
  object<APIGuild>({
    ...{ description: orNull(isText), emojis: listOf(isEmoji), premium_tier: isWhole },
    ...{ premium_subscription_count: maybe(isWhole) },
    ...{ approximate_member_count: orNothing(isWhole), approximate_presence_count: orNothing(isWhole) },
  }),
);
export const isBan = object<APIBan>({ user: isUser, reason: orNull(isText) });
/** The list names whom it is about; elsewhere that may be known already. */
export type ListedThreadMember = APIThreadMember & { user_id: string };
export const isThreadMember = object<ListedThreadMember>({ user_id: isId });
export const isThreads = object<{ threads: APIChannel[]; has_more?: boolean }>({
  ...{ threads: listOf(isChannel), has_more: maybe(isBoolean) },
});

const isAttachment = object<APIAttachment>({
  ...{ id: isId, filename: isText, size: isWhole, url: isText, content_type: maybe(isText) },
});
const isEmbed = object<APIEmbed>({ title: maybe(isText), description: maybe(isText), url: maybe(isText) });
const isReaction = object<APIReaction>({
  ...{ emoji: object({ id: orNull(isId), name: orNull(isText) }), count: isWhole, me: isBoolean },
});
const isReference = object<APIMessageReference>({
  ...{ channel_id: maybe(isId), message_id: maybe(isId), guild_id: maybe(isId) },
});
const isSnapshot = object<APIMessageSnapshot>({ message: object({ content: isText }) });
const isPoll = object<APIPoll>({ question: object({ text: maybe(isText) }) });
const isSticker = object<APIStickerItem>({ name: isText });
const isMessageByItself = object<APIMessage>({
  ...{ id: isId, channel_id: isId, type: isWhole, author: isUser, content: isText, timestamp: isTime },
  ...{ edited_timestamp: orNull(isTime), mentions: listOf(isUser), mention_roles: listOf(isId) },
  ...{ attachments: listOf(isAttachment), embeds: listOf(isEmbed), components: maybe(listOf(isAnything)) },
  ...{ sticker_items: maybe(listOf(isSticker)), reactions: maybe(listOf(isReaction)), poll: maybe(isPoll) },
  ...{ message_reference: maybe(isReference), message_snapshots: maybe(listOf(isSnapshot)) },
  ...{ pinned: maybe(isBoolean), flags: maybe(isWhole), webhook_id: maybe(isId) },
});
/** The message that it replies to is brought with it, without the one that that replies to. */
export const isMessage = both(
  isMessageByItself,
  object<APIMessage>({ referenced_message: orNothing(isMessageByItself) }),
);
/** What a message that we have sent has to say. */
export const isPosted = object<APIMessage>({ id: isId });

const isPin = object<APIMessagePin>({ pinned_at: isTime, message: isMessage });
export const isPins = object<RESTGetAPIChannelMessagesPinsResult>({
  ...{ items: listOf(isPin), has_more: isBoolean },
});

/** What has changed can be anything, and need not have a name. */
const isAuditChange = object<APIAuditLogChange>({ key: orNull(isText) });
const isAuditEntry = object<APIAuditLogEntry>({
  ...{ id: isId, action_type: isWhole, user_id: orNull(isId), target_id: orNull(isText) },
  ...{ changes: maybe(listOf(isAuditChange)), reason: maybe(isText) },
  options: maybe(
    object({
      ...{ channel_id: maybe(isId), message_id: maybe(isId), count: maybe(isText) },
      ...{ role_name: maybe(isText), delete_member_days: maybe(isText) },
    }),
  ),
});
export const isAuditLog = object<RESTGetAPIAuditLogResult>({
  ...{ audit_log_entries: listOf(isAuditEntry), users: listOf(isUser), threads: listOf(isChannel) },
  webhooks: listOf(object({ id: isId, channel_id: orNothing(isId) })),
  guild_scheduled_events: listOf(object({ id: isId, channel_id: orNothing(isId) })),
});

const isFound = object<Extract<RESTGetAPIGuildMessagesSearchResult, { messages: unknown }>>({
  ...{ messages: listOf(listOf(isMessage)), total_results: isWhole, threads: orNothing(listOf(isChannel)) },
});
const isNotYet = object<Exclude<RESTGetAPIGuildMessagesSearchResult, { messages: unknown }>>({
  retry_after: isNumber,
});
/** While Discord makes a server's index it says when to come again. */
export const isSearch: Fits<RESTGetAPIGuildMessagesSearchResult> = (answer) =>
  isObject(answer) && ("messages" in answer ? isFound(answer) : isNotYet(answer));

export const isGatewayInfo = object<APIGatewayBotInfo>({
  ...{ url: isText, shards: isWhole },
  session_start_limit: object({ max_concurrency: isWhole, remaining: isWhole, reset_after: isWhole }),
});

/** As a bot is told of the servers that it is in. */
export const isOwnGuild = object<RESTAPIPartialCurrentUserGuild>({
  id: isId,
  name: isText,
  permissions: isBits,
});
export const isApplication = object<APIApplication>({ flags: maybe(isWhole) });
