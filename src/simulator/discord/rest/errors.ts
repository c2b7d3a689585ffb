import { RESTJSONErrorCodes as Codes } from "discord-api-types/v10";

/** A failure as Discord answers it: https://discord.com/developers/docs/reference#error-messages */
export class DiscordError extends Error {
  override readonly name = "DiscordError";
  readonly status: number;
  readonly code: number;
  readonly errors: FormErrorTree | null;

  constructor(status: number, code: number, message: string, errors: FormErrorTree | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }

  get body(): { message: string; code: number; errors?: FormErrorTree } {
    const { message, code, errors } = this;
    return errors === null ? { message, code } : { message, code, errors };
  }
}

/** Errors by field; a leaf is `_errors`. */
export interface FormErrorTree {
  [field: string]: FormErrorTree | { code: string; message: string }[];
}

export const unauthorized = () => new DiscordError(401, 0, "401: Unauthorized");
export const noSuchRoute = () => new DiscordError(404, 0, "404: Not Found");
export const methodNotAllowed = () => new DiscordError(405, 0, "405: Method Not Allowed");
export const unknownChannel = () => new DiscordError(404, Codes.UnknownChannel, "Unknown Channel");
export const unknownGuild = () => new DiscordError(404, Codes.UnknownGuild, "Unknown Guild");
export const unknownMember = () => new DiscordError(404, Codes.UnknownMember, "Unknown Member");
export const unknownMessage = () => new DiscordError(404, Codes.UnknownMessage, "Unknown Message");
export const unknownUser = () => new DiscordError(404, Codes.UnknownUser, "Unknown User");
export const unknownRole = () => new DiscordError(404, Codes.UnknownRole, "Unknown Role");
export const unknownEmoji = () => new DiscordError(400, Codes.UnknownEmoji, "Unknown Emoji");
export const unknownBan = () => new DiscordError(404, Codes.UnknownBan, "Unknown Ban");
export const unknownOverwrite = () =>
  new DiscordError(404, Codes.UnknownPermissionOverwrite, "Unknown Overwrite");
export const unknownWebhook = () => new DiscordError(404, Codes.UnknownWebhook, "Unknown Webhook");
export const unknownInteraction = () =>
  new DiscordError(404, Codes.UnknownInteraction, "Unknown interaction");
export const missingAccess = () => new DiscordError(403, Codes.MissingAccess, "Missing Access");
export const missingPermissions = () =>
  new DiscordError(403, Codes.MissingPermissions, "Missing Permissions");
export const wrongChannelType = () =>
  new DiscordError(
    400,
    Codes.CannotExecuteActionOnThisChannelType,
    "Cannot execute action on this channel type",
  );
export const archivedThread = () =>
  new DiscordError(400, Codes.InvalidActionOnArchivedThread, "Thread is archived");
export const lockedThread = () => new DiscordError(400, Codes.ThreadLocked, "Thread is locked");
export const tooMany = (code: Codes, what: string, most: number) =>
  new DiscordError(400, code, `Maximum number of ${what} reached (${most})`);
export const emptyMessage = () =>
  new DiscordError(400, Codes.CannotSendAnEmptyMessage, "Cannot send an empty message");
export const invalidForm = (errors: FormErrorTree | null) =>
  new DiscordError(400, Codes.InvalidFormBodyOrContentType, "Invalid Form Body", errors);
