import { isDecimalId } from "../snowflake.ts";

/*
 * Whether what Discord gives, by REST and by the gateway, has what its description always promises, as far as we go by it:
 * https://github.com/discord/discord-api-spec. What may be missing is not asked for, so that nothing real is refused.
 */

export type Fits = (answer: unknown) => boolean;

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string";

/** An object whose fields fit. */
const object =
  (fields: Readonly<Record<string, Fits>>): Fits =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, fits]) => fits(value[name]));

export const listOf =
  (fits: Fits): Fits =>
  (value) =>
    Array.isArray(value) && value.every(fits);

const isNumber: Fits = (value) => typeof value === "number";
const isId: Fits = isDecimalId;
const orNothing =
  (fits: Fits): Fits =>
  (value) =>
    value === undefined || value === null || fits(value);

const isTextOrNull: Fits = (value) => value === null || isText(value);
const isMaybeText = orNothing(isText);
export const isUser = object({ id: isId, username: isText, global_name: isMaybeText });
export const isMember = object({
  ...{ user: isUser, roles: listOf(isText), nick: isMaybeText, joined_at: isMaybeText },
  ...{ communication_disabled_until: isMaybeText, premium_since: isMaybeText },
});
const isBoolean: Fits = (value) => typeof value === "boolean";
/** With all that decides what somebody may do, whether it is needed or not. */
export const isWholeMember: Fits = (value) =>
  isMember(value) &&
  object({ pending: isBoolean, flags: isNumber, communication_disabled_until: isTextOrNull })(value);
export const isRole = object({ id: isId, name: isText, permissions: isText, position: isNumber });
const isTag = object({ id: isId, name: isText });
export const isChannel = object({
  ...{ id: isId, type: isNumber, name: isMaybeText, topic: isMaybeText, parent_id: isMaybeText },
  ...{ thread_metadata: orNothing(isObject), available_tags: orNothing(listOf(isTag)) },
  ...{ applied_tags: orNothing(listOf(isText)), recipients: orNothing(listOf(isUser)) },
});
export const isGuild = object({ id: isId, name: isText, owner_id: isId, roles: listOf(isRole) });
export const isEmoji = object({ name: orNothing(isText) });
export const isBan = object({ user: isUser });
export const isThreadMember = object({ user_id: isId });

const isAttachment = object({ id: isId, filename: isText, size: isNumber, url: isText });
export const isMessage = object({
  ...{ id: isId, channel_id: isId, type: isNumber, author: isUser, content: isText, timestamp: isText },
  ...{ mentions: listOf(isUser), mention_roles: listOf(isText), attachments: listOf(isAttachment) },
  embeds: listOf(isObject),
});

export const isPins = object({ items: listOf(object({ pinned_at: isText, message: isMessage })) });
export const isThreads = object({ threads: listOf(isChannel) });
export const isAuditLog = object({
  audit_log_entries: listOf(object({ id: isId, action_type: isNumber })),
  users: listOf(isUser),
});

const isResult = object({
  ...{ messages: listOf(listOf(isMessage)), total_results: isNumber, threads: orNothing(listOf(isChannel)) },
});
const isNotYet = object({ retry_after: isNumber });
/** While Discord makes a server's index it says when to come again. */
export const isSearch: Fits = (answer) =>
  isObject(answer) && ("messages" in answer ? isResult(answer) : isNotYet(answer));
