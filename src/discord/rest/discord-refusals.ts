import type { DiscordAPIError } from "@discordjs/rest";
import { RESTJSONErrorCodes as Codes } from "discord-api-types/v10";
import type { ErrorCode } from "../../errors.ts";
import { AppError } from "../../errors.ts";

interface Known {
  readonly code: ErrorCode;
  readonly sentence: string;
}

const missing = (sentence: string): Known => ({ code: "not_found", sentence });
const denied = (sentence: string): Known => ({ code: "permission_denied", sentence });
const refused = (sentence: string): Known => ({ code: "discord_error", sentence });

/** What to do about it, by Discord's code: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json */
const knownRefusals: Readonly<Record<number, Known>> = {
  [Codes.UnknownChannel]: missing("Discord knows no such channel."),
  [Codes.UnknownGuild]: missing("Discord knows no such server."),
  [Codes.UnknownMember]: missing("That user is not a member there."),
  [Codes.UnknownMessage]: missing("Discord knows no such message in that channel; it may have been deleted."),
  [Codes.UnknownPermissionOverwrite]: missing("That channel has no permissions set for that role or member."),
  [Codes.UnknownRole]: missing("The server has no such role."),
  [Codes.UnknownUser]: missing("Discord knows no such user."),
  [Codes.UnknownEmoji]: missing(
    "Discord knows no such emoji; give one Unicode emoji, or a custom one as name:id.",
  ),
  [Codes.UnknownBan]: missing("That user is not banned there."),
  [Codes.MissingPermissions]: denied(
    "The bot lacks a permission that this needs, or its highest role is not above what it would change; somebody who manages the server can change that.",
  ),
  [Codes.CannotSendMessagesToThisUser]: denied(
    "That user takes no direct messages from the bot; they can allow it in the privacy settings of a server they share.",
  ),
  [Codes.CannotSendMessagesToThisUserDueToHavingNoMutualGuilds]: denied(
    "That user shares no server with the bot, so it cannot write to them directly.",
  ),
  [Codes.CannotEditMessageAuthoredByAnotherUser]: denied("Only messages that the bot wrote can be edited."),
  [Codes.ReactionWasBlocked]: denied("The author of that message does not let the bot react to it."),
  [Codes.TwoFactorAuthenticationIsRequired]: denied(
    "This server asks for two-factor authentication; the owner of the bot's application has to switch it on.",
  ),
  [Codes.ThreadLocked]: denied(
    "That thread is locked; it takes Manage Threads to write there or to reopen it.",
  ),
  [Codes.CannotReplyWithoutPermissionToReadMessageHistory]: denied(
    "The bot needs Read Message History in that channel to reply there.",
  ),
  [Codes.MaximumNumberOfPinsReachedForTheChannel]: refused(
    "That channel has as many pins as Discord allows; unpin a message first.",
  ),
  [Codes.MaximumNumberOfGuildRolesReached]: refused(
    "The server has as many roles as Discord allows (250); delete one first.",
  ),
  [Codes.MaximumNumberOfReactionsReached]: refused(
    "That message has as many different reactions as Discord allows (20); use one that is there.",
  ),
  [Codes.MaximumNumberOfGuildChannelsReached]: refused(
    "The server has as many channels as Discord allows (500); delete one first.",
  ),
  [Codes.MaximumNumberOfServerCategoriesReached]: refused(
    "The server has as many categories as Discord allows (50); delete one first.",
  ),
  [Codes.MaximumThreadParticipantsReached]: refused(
    "That thread has as many members as Discord allows (1,000).",
  ),
  [Codes.MaximumNumberOfNonGuildMemberBansHasBeenExceeded]: refused(
    "The server has banned as many users who are no members as Discord allows for now; try again tomorrow.",
  ),
  [Codes.MaximumNumberOfEditsToMessagesOlderThanOneHourReached]: refused(
    "That message is over an hour old and has been edited too often of late; post a new one, or try again later.",
  ),
  [Codes.MaximumNumberOfTagsInForumHasBeenReached]: refused(
    "That forum has as many tags as Discord allows (20).",
  ),
  [Codes.MaximumNumberOfChannelPermissionOverwritesReached]: refused(
    "That channel has as many permission overwrites as Discord allows; clear one first.",
  ),
  [Codes.MaximumActiveThreads]: refused(
    "The server has as many active threads as Discord allows (1,000); archive one first.",
  ),
  [Codes.OnlyOneChannelCanHaveAParentIdModifiedAtATime]: refused(
    "Only one channel at a time can be moved to another category.",
  ),
  [Codes.TagRequiredToCreateAForumPostInThisChannel]: refused("A post in that forum needs at least one tag."),
  [Codes.CannotExecuteActionOnDMChannel]: refused("This cannot be done in a direct message."),
  [Codes.CannotSendAnEmptyMessage]: refused("A message cannot be empty."),
  [Codes.CannotSendMessagesInNonTextChannel]: refused("Messages cannot be sent to a channel of that kind."),
  [Codes.ChannelVerificationLevelTooHighForYouToGainAccess]: denied(
    "The server's verification level is too high for the bot.",
  ),
  [Codes.ProvidedTooFewOrTooManyMessagesToDelete]: refused(
    "Between 2 and 100 messages can be deleted at once.",
  ),
  [Codes.CannotExecuteActionOnSystemMessage]: refused("This cannot be done to a system message."),
  [Codes.CannotExecuteActionOnThisChannelType]: refused("This cannot be done in a channel of that kind."),
  [Codes.OneOfTheMessagesProvidedWasTooOldForBulkDelete]: refused(
    "Messages older than two weeks cannot be deleted in bulk; delete them one by one.",
  ),
  [Codes.CannotDeleteChannelRequiredForCommunityGuilds]: refused(
    "This channel is one that a Community server must keep.",
  ),
  [Codes.InvalidActionOnArchivedThread]: refused("That thread is archived; unarchive it first."),
  [Codes.ThreadAlreadyCreatedForMessage]: refused("That message has a thread already; use it."),
  [Codes.InteractionHasAlreadyBeenAcknowledged]: refused("That was answered already."),
  [Codes.MessageWasBlockedByAutomaticModeration]: refused(
    "The server's automatic moderation blocked the message.",
  ),
  [Codes.TitleWasBlockedByAutomaticModeration]: refused(
    "The server's automatic moderation blocked the title.",
  ),
  [Codes.MessageBlockedByHarmfulLinksFilter]: refused("Discord blocked the message for a harmful link."),
};

export function badToken(cause: unknown): AppError {
  const sentence =
    "Discord does not accept the bot's token; the operator has to set a valid DISCORD_TOKEN and restart.";
  return new AppError("discord_unavailable", sentence, { cause });
}

/** Discord has answered that it will not do it. `what` is the thing that was asked for or about. */
export function refusal(cause: DiscordAPIError, what: string): AppError {
  const { status, code } = cause;
  const details = { data: { discord_code: code }, cause };
  if (status === 401) return badToken(cause);
  if (status === 429) {
    const sentence = `Discord limits how often ${what} may be asked for.`;
    return new AppError("rate_limited", sentence, { ...details, retryAfterMs: 1000 });
  }
  if (code === Codes.InvalidFormBodyOrContentType) return invalidForm(cause, what);
  const known = typeof code === "number" ? knownRefusals[code] : undefined;
  if (known !== undefined) return new AppError(known.code, known.sentence, details);
  if (status === 404) return new AppError("not_found", `Discord knows no such ${what}.`, details);
  if (status === 403) {
    const sentence = `The bot is not allowed to reach ${what}; somebody who manages the server can give its role access.`;
    return new AppError("permission_denied", sentence, details);
  }
  return new AppError(
    "discord_error",
    `Discord refused the request for ${what} (code ${String(code ?? status)}).`,
    details,
  );
}

const fieldsBound = 3;
const messageBound = 160;
const depthBound = 8;

/** https://discord.com/developers/docs/reference#error-messages */
function invalidForm(cause: DiscordAPIError, what: string): AppError {
  const errors = "errors" in cause.rawError ? cause.rawError.errors : undefined;
  const wrong = listErrors(errors, [], depthBound);
  const told = wrong.slice(0, fieldsBound).map(({ field, message }) => `${field}: ${message}`);
  const rest = wrong.length > fieldsBound ? ` (and ${wrong.length - fieldsBound} more)` : "";
  const reasons = told.length === 0 ? "" : `; ${told.join("; ")}${rest}`;
  const fields = wrong.slice(0, fieldsBound).map(({ field }) => field);
  return new AppError("discord_error", `Discord does not take what was given for ${what}${reasons}`, {
    data: { discord_code: cause.code, ...(fields.length === 0 ? {} : { fields }) },
    cause,
  });
}

interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A leaf has `_errors`, whose names and messages are Discord's; anything else in the answer is passed over. */
function listErrors(node: unknown, path: readonly string[], depth: number): FieldError[] {
  if (typeof node !== "object" || node === null || depth === 0) return [];
  return Object.entries(node).flatMap(([name, value]) => {
    if (name !== "_errors") return listErrors(value, [...path, name], depth - 1);
    if (!Array.isArray(value)) return [];
    const field = path.join(".") || "the request";
    return value.slice(0, 1).flatMap((error: unknown) => {
      if (typeof error !== "object" || error === null || !("message" in error)) return [];
      return [{ field: field.slice(0, 80), message: String(error.message).slice(0, messageBound) }];
    });
  });
}
