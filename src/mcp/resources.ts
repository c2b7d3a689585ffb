import { type ReadResourceResult, ResourceNotFoundError } from "@modelcontextprotocol/server";
import { type Actor, nowhere } from "../actor.ts";
import { AppError } from "../errors.ts";
import { clientSession } from "./client-session.ts";
import { described, type OwnConversations } from "./own-conversations.ts";
import type { McpDeps } from "./ports.ts";
import type { By, Read, Reading } from "./reading.ts";
import { json, lines, listed, readBy, templates } from "./resource-list.ts";
import { marked } from "./results.ts";
import type { Surface } from "./surface.ts";
import { actorOf, assertThere, usable } from "./tools.ts";
import { type ResourceName, readUri } from "./uris.ts";
import type { Watching } from "./watching.ts";

type Deps = Pick<McpDeps, "tools" | "rules" | "places" | "sessions" | "audit">;

/** What is of Discord is read by the tools; what is one's own is read from our own. */
export function resourceSurface(
  deps: Deps,
  reading: Reading,
  conversations: OwnConversations,
  watching: Watching,
): Pick<Surface, "resources" | "templates" | "read" | "watch"> {
  async function read(name: ResourceName, by: By): Promise<Read> {
    const { caller, signal } = by;
    const actor = actorOf(caller);
    switch (name.kind) {
      case "guild":
        return reading.tool(readBy.guild, {}, reading.inGuild(name.guildId, actor, by), by);
      case "channels": {
        const there = reading.inGuild(name.guildId, actor, by);
        return reading.tool(readBy.channels, { limit: 100 }, there, by);
      }
      case "messages":
        return reading.tool(readBy.messages, messagesOf(name.channelId), actor, by);
      case "user":
        return reading.tool("discord_user_lookup", { user_id: name.userId }, actor, by);
      case "call":
        if (!deps.tools.list().some((tool) => tool.name === name.toolName && tool.kind === "read"))
          throw new AppError("not_found", "Only tools that read are called by reading.");
        return reading.tool(name.toolName, name.input, actor, by);
      case "audit":
        deps.rules.assertScope(caller.principal, "tools");
        return { value: { calls: await ownCalls(actor, by) } };
      case "conversation":
        deps.rules.assertScope(caller.principal, "turns");
        await assertThere(deps, actor, signal);
        return { value: await deps.sessions.context(await clientSession(deps, caller, actor)) };
      case "conversations":
        return { value: { conversations: (await conversations.list(by)).map(described) } };
      case "past conversation":
        return { value: await conversations.read(name.conversationId, by) };
      default:
        return name satisfies never;
    }
  }

  /** A token that is limited to servers, or to a session, is told what was done from there alone. */
  async function ownCalls({ userId, guildId }: Actor, { caller }: By) {
    const isLimited = caller.session !== null || caller.principal.guildIds !== null;
    const rows = await deps.audit.list({
      limit: lines,
      actorUserId: userId,
      ...(isLimited ? { guildId } : {}),
    });
    return rows.map(({ at, toolName, verdict, reason, guildId: guild, channelId, durationMs }) => ({
      at: new Date(at).toISOString(),
      tool_name: toolName,
      verdict,
      reason,
      guild_id: guild,
      channel_id: channelId === nowhere ? null : channelId,
      duration_ms: durationMs,
    }));
  }

  async function contents(uri: string, name: ResourceName, by: By): Promise<ReadResourceResult> {
    try {
      const { value = null, truncated } = await read(name, by);
      const text = JSON.stringify(marked(value, truncated));
      return { contents: [{ uri, mimeType: json, text }] };
    } catch (error) {
      if (error instanceof AppError && error.code === "not_found") throw new ResourceNotFoundError(uri);
      throw error;
    }
  }

  /** Only who may read it now begins to listen; it goes into the audit log as the reading that it leads to. */
  async function watch(
    name: ResourceName & { readonly kind: "messages" },
    by: By,
    tell: (uri: string) => void,
  ) {
    const actor = actorOf(by.caller);
    await reading.assertMay(readBy.messages, messagesOf(name.channelId), actor, by);
    return watching.watch(actor, name.channelId, tell);
  }

  return {
    watch(uri, caller, tell, signal) {
      const name = readUri(uri);
      return name?.kind === "messages" ? watch(name, { caller, signal }, tell) : null;
    },
    async resources({ caller }) {
      const { actor, principal } = caller;
      if (actor === null) return [];
      const tools = new Set(usable(deps, caller).map(({ name }) => name));
      return listed(actor, { scopes: principal.scopes, tools });
    },
    templates: () => templates,
    read(uri, exchange) {
      const name = readUri(uri);
      return name === null ? null : contents(uri, name, exchange);
    },
  };
}

const messagesOf = (channelId: string) => ({ channel_id: channelId, limit: lines });
