import { AuditLogEvent } from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import { plain } from "../authority.ts";

/** As Discord's documentation calls them, in small letters: "member_ban_add". */
const byNumber: ReadonlyMap<number, string> = new Map(
  Object.entries(AuditLogEvent).flatMap(([name, value]) =>
    typeof value === "number"
      ? [[value, name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase()] as const]
      : [],
  ),
);
const byName: ReadonlyMap<string, number> = new Map([...byNumber].map(([number, name]) => [name, number]));

/** Whose target is a channel or a thread. */
const ofChannels: readonly AuditLogEvent[] = [
  AuditLogEvent.ChannelCreate,
  AuditLogEvent.ChannelUpdate,
  AuditLogEvent.ChannelDelete,
  AuditLogEvent.ChannelOverwriteCreate,
  AuditLogEvent.ChannelOverwriteUpdate,
  AuditLogEvent.ChannelOverwriteDelete,
  AuditLogEvent.MessageBulkDelete,
  AuditLogEvent.ThreadCreate,
  AuditLogEvent.ThreadUpdate,
  AuditLogEvent.ThreadDelete,
  AuditLogEvent.VoiceChannelStatusCreate,
  AuditLogEvent.VoiceChannelStatusDelete,
];

const within =
  (first: AuditLogEvent, last: AuditLogEvent) =>
  (type: number): boolean =>
    type >= first && type <= last;
export const isAboutInvite = within(AuditLogEvent.InviteCreate, AuditLogEvent.InviteDelete);
export const isAboutWebhook = within(AuditLogEvent.WebhookCreate, AuditLogEvent.WebhookDelete);
export const isAboutEvent = within(
  AuditLogEvent.GuildScheduledEventCreate,
  AuditLogEvent.GuildScheduledEventDelete,
);

/** Discord adds actions from time to time. */
export const actionName = (type: number): string => byNumber.get(type) ?? `action_${type}`;

export const isAboutChannel = (type: number): boolean => ofChannels.some((one) => one === type);

/** Throws AppError `invalid_arguments` that lists the actions. */
export function actionNumber(said: string): number {
  const name = said
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
  const number = byName.get(name);
  if (number !== undefined) return number;
  throw new AppError(
    "invalid_arguments",
    `action: ${plain(said)} is no action of the audit log; known are ${[...byName.keys()].join(", ")}.`,
    { data: { path: "action", problem: "is no action of the audit log" } },
  );
}
