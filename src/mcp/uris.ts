/** What can be read by its address. */
export type ResourceName =
  | { readonly kind: "guild"; readonly guildId: string }
  | { readonly kind: "channels"; readonly guildId: string }
  | { readonly kind: "messages"; readonly channelId: string }
  | { readonly kind: "user"; readonly userId: string }
  | { readonly kind: "audit" }
  | { readonly kind: "conversation" };

const id = "(\\d{15,20})";
const forms: readonly (readonly [RegExp, (id: string) => ResourceName])[] = [
  [new RegExp(`^discord://guilds/${id}$`), (guildId) => ({ kind: "guild", guildId })],
  [new RegExp(`^discord://guilds/${id}/channels$`), (guildId) => ({ kind: "channels", guildId })],
  [new RegExp(`^discord://channels/${id}/messages$`), (channelId) => ({ kind: "messages", channelId })],
  [new RegExp(`^discord://users/${id}$`), (userId) => ({ kind: "user", userId })],
  [/^discord:\/\/me\/(audit)$/, () => ({ kind: "audit" })],
  [/^discord:\/\/me\/(conversation)$/, () => ({ kind: "conversation" })],
];

/** Null for what is no address of ours. */
export function readUri(uri: string): ResourceName | null {
  for (const [form, make] of forms) {
    const found = form.exec(uri)?.[1];
    if (found !== undefined) return make(found);
  }
  return null;
}

export const messagesUri = (channelId: string): string => `discord://channels/${channelId}/messages`;
