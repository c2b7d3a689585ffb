import type { Actor } from "../actor.ts";
import type { Session } from "../sessions/ports.ts";
import { madeSessionIdPrefix } from "../sessions/service.ts";
import type { McpCaller, McpDeps } from "./ports.ts";

/**
 * The session in which a client's questions wait and its turns take place: the one of its session token, else one of
 * its own for each token, person and place. It is opened when it is needed, which plain calls do not.
 */
export async function clientSession(
  { sessions }: Pick<McpDeps, "sessions">,
  { principal: { tokenId }, session }: McpCaller,
  { userId, guildId, channelId }: Actor,
): Promise<Session> {
  if (session !== null) return session;
  const name = JSON.stringify([tokenId, userId, guildId, channelId]);
  const sessionId = `${madeSessionIdPrefix}${new Bun.CryptoHasher("sha256").update(name).digest("base64url")}`;
  return (await sessions.open({ sessionId, userId, channelId, guildId, tokenId })).session;
}
