/**
 * What a result was read from, so that it is known who might have read it themselves. Kept with what is stored:
 * - `channel:ID`: those who may read the history of that channel, thread or direct message
 * - `guild:ID`: the members of that server; `guild:ID:BITS`: those of them who hold these permissions there
 * - `user:ID`: a user's public profile, which anybody may see
 * - `self:ID`: that person's own things
 */
export type Source =
  | { readonly kind: "channel"; readonly channelId: string }
  | { readonly kind: "guild"; readonly guildId: string; readonly permissions: bigint }
  | { readonly kind: "user"; readonly userId: string }
  | { readonly kind: "self"; readonly userId: string };

export const fromChannel = (channelId: string): string => `channel:${channelId}`;
export const fromUser = (userId: string): string => `user:${userId}`;
export const fromSelf = (userId: string): string => `self:${userId}`;
export const fromGuild = (guildId: string, permissions = 0n): string =>
  permissions === 0n ? `guild:${guildId}` : `guild:${guildId}:${permissions}`;

/** Null for what no version of us has written. */
export function readSource(text: string): Source | null {
  const match = /^(channel|guild|user|self):(\d{1,20})(?::(\d{1,40}))?$/.exec(text);
  const [, kind, id = "", bits] = match ?? [];
  if (bits !== undefined && kind !== "guild") return null;
  switch (kind) {
    case "channel":
      return { kind, channelId: id };
    case "guild":
      return { kind, guildId: id, permissions: BigInt(bits ?? 0) };
    case "user":
    case "self":
      return { kind, userId: id };
    default:
      return null;
  }
}
