import { type Actor, nowhere } from "../actor.ts";
import { AppError, toAppError } from "../errors.ts";
import type { Conversation } from "../sessions/ports.ts";
import type { McpDeps } from "./ports.ts";
import type { By } from "./reading.ts";
import { actorOf, assertThere } from "./tools.ts";
import { conversationUri } from "./uris.ts";

/** Conversations that are looked at: for each it is found out whether the person can still be there. */
const looked = 25;

export interface OwnConversations {
  /** Those that this client may read of, the newest first. */
  list(by: By): Promise<readonly Conversation[]>;
  /** Throws AppError `not_found` for one of somebody else, or from where the person may not be now. */
  read(conversationId: string, by: By): Promise<object>;
}

/**
 * What a person and the agent have said to each other, wherever it was. A client gets no more of it than its token
 * could open a session for: one that is limited to servers is told of those alone, a session token of its own.
 */
export function createOwnConversations(
  deps: Pick<McpDeps, "rules" | "places" | "sessions">,
): OwnConversations {
  async function mayOpen(conversation: Conversation, actor: Actor, { caller, signal }: By): Promise<boolean> {
    const { guildId, channelId } = conversation;
    if (caller.session !== null && caller.session.conversationId !== conversation.id) return false;
    try {
      deps.rules.assertMayOpen(caller.principal, { userId: actor.userId, guildId });
      await assertThere(deps, { ...actor, guildId, channelId }, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (toAppError(error).code === "internal_error") throw error;
      return false;
    }
  }

  async function list(by: By): Promise<readonly Conversation[]> {
    deps.rules.assertScope(by.caller.principal, "turns");
    const actor = actorOf(by.caller);
    const all = await deps.sessions.conversations(actor.userId, looked);
    const open = await Promise.all(all.map((one) => mayOpen(one, actor, by)));
    return all.filter((_, index) => open[index]);
  }

  return {
    list,
    async read(conversationId, by) {
      const found = (await list(by)).find(({ id }) => id === conversationId);
      if (found === undefined)
        throw new AppError(
          "not_found",
          "There is no such conversation; discord://me/conversations lists yours.",
        );
      return { ...described(found), history: await deps.sessions.history(found) };
    },
  };
}

export const described = ({ id, guildId, channelId, turns, lastAt }: Conversation) => ({
  conversation_id: id,
  uri: conversationUri(id),
  guild_id: guildId,
  channel_id: channelId === nowhere ? null : channelId,
  turns,
  last_at: new Date(lastAt).toISOString(),
});
