/** What can be read by its address. */
export type ResourceName =
  | { readonly kind: "guild"; readonly guildId: string }
  | { readonly kind: "channels"; readonly guildId: string }
  | { readonly kind: "messages"; readonly channelId: string }
  | { readonly kind: "user"; readonly userId: string }
  | { readonly kind: "audit" }
  | { readonly kind: "conversation" }
  | { readonly kind: "conversations" }
  | { readonly kind: "past conversation"; readonly conversationId: string }
  | { readonly kind: "call"; readonly toolName: string; readonly input: unknown };

/** Of the arguments in an address: longer ones than any tool that reads takes. */
const maxArguments = 4096;

const id = "(\\d{15,20})";
const forms: readonly (readonly [RegExp, (part: string) => ResourceName])[] = [
  [new RegExp(`^discord://guilds/${id}$`), (guildId) => ({ kind: "guild", guildId })],
  [new RegExp(`^discord://guilds/${id}/channels$`), (guildId) => ({ kind: "channels", guildId })],
  [new RegExp(`^discord://channels/${id}/messages$`), (channelId) => ({ kind: "messages", channelId })],
  [new RegExp(`^discord://users/${id}$`), (userId) => ({ kind: "user", userId })],
  [/^discord:\/\/me\/(audit)$/, () => ({ kind: "audit" })],
  [/^discord:\/\/me\/(conversation)$/, () => ({ kind: "conversation" })],
  [/^discord:\/\/me\/(conversations)$/, () => ({ kind: "conversations" })],
  [
    /^discord:\/\/me\/conversations\/([0-9a-f-]{36})$/,
    (conversationId) => ({ kind: "past conversation", conversationId }),
  ],
];
const call = new RegExp(
  `^discord://calls/([A-Za-z0-9_-]{1,64})\\?arguments=([A-Za-z0-9_-]{1,${maxArguments}})$`,
);

/** Null for what is no address of ours. */
export function readUri(uri: string): ResourceName | null {
  for (const [form, make] of forms) {
    const found = form.exec(uri)?.[1];
    if (found !== undefined) return make(found);
  }
  const [, toolName, written] = call.exec(uri) ?? [];
  if (toolName === undefined || written === undefined) return null;
  try {
    const input: unknown = JSON.parse(Buffer.from(written, "base64url").toString("utf8"));
    return { kind: "call", toolName, input };
  } catch {
    return null;
  }
}

export const messagesUri = (channelId: string): string => `discord://channels/${channelId}/messages`;

export const conversationUri = (conversationId: string): string =>
  `discord://me/conversations/${conversationId}`;

/** Where a call's result is read; null when its arguments are too long for an address. */
export function callUri(toolName: string, input: unknown): string | null {
  const written = Buffer.from(JSON.stringify(input ?? {})).toString("base64url");
  return written.length > maxArguments ? null : `discord://calls/${toolName}?arguments=${written}`;
}
