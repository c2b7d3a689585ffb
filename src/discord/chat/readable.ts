import type { Attachment, Incoming } from "./incoming.ts";

/** Names of what a text may mention; null where they are not known. */
export interface Names {
  role(roleId: string): string | null;
  channel(channelId: string): string | null;
}

const token = /<(@[!&]?|#)(\d{1,20})>|<a?(:\w{1,64}:)\d{1,20}>/g;

/**
 * The text as people read it: `@Ana`, `@Moderators`, `#general`, `:emoji:`. What is not known stays as it is.
 * https://discord.com/developers/docs/reference#message-formatting
 */
export function resolveMentions(content: string, mentions: Incoming["mentions"], names: Names): string {
  return content.replace(token, (whole: string, sort?: string, id?: string, emoji?: string) => {
    if (emoji !== undefined) return emoji;
    if (sort === undefined || id === undefined) return whole;
    if (sort === "#") return prefixed("#", names.channel(id), whole);
    if (sort === "@&") return prefixed("@", names.role(id), whole);
    return prefixed("@", mentions.find((user) => user.id === id)?.name ?? null, whole);
  });
}

function prefixed(sign: string, name: string | null, otherwise: string): string {
  if (name === null) return otherwise;
  return name.startsWith(sign) ? name : sign + name;
}

/** Takes the mention of the bot out: that it is spoken to is known, and its name would only be in the way. */
export function withoutMention(content: string, botUserId: string, botRoleId: string | null): string {
  const role = botRoleId === null ? "" : `|<@&${botRoleId}>`;
  return content
    .replaceAll(new RegExp(`[ \\t]{0,3}(?:<@!?${botUserId}>${role})[ \\t]{0,3}`, "g"), " ")
    .trim();
}

/** "[attachment: map.png, image/png, 12 KB]", a line each. */
export function describeAttachments(
  attachments: readonly Attachment[],
  stickerNames: readonly string[] = [],
): string {
  const files = attachments.map(({ name, type, bytes }) => {
    const size = bytes < 1024 ? `${bytes} B` : `${Math.round(bytes / 1024)} KB`;
    return `[attachment: ${[oneLine(name), type, size].filter((part) => part !== null).join(", ")}]`;
  });
  return [...files, ...stickerNames.map((name) => `[sticker: ${oneLine(name)}]`)].join("\n");
}

/** A name that somebody chose, as one short line. */
export function oneLine(name: string): string {
  return name
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, 100)
    .toWellFormed();
}
