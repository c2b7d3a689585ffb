import {
  type ReadResourceResult,
  type Resource,
  ResourceNotFoundError,
  type ResourceTemplateType,
} from "@modelcontextprotocol/server";
import { type Actor, nowhere } from "../actor.ts";
import { AppError } from "../errors.ts";
import { clientSession } from "./client-session.ts";
import type { Exchange, McpDeps } from "./ports.ts";
import { note } from "./results.ts";
import type { Completing, Surface } from "./surface.ts";
import { actorOf, assertThere } from "./tools.ts";
import { type ResourceName, readUri } from "./uris.ts";
import type { Watching } from "./watching.ts";

const json = "application/json";
/** Of a channel's messages and of the audit trail. */
const lines = 50;
const suggestions = 25;

const templates: readonly ResourceTemplateType[] = [
  {
    uriTemplate: "discord://guilds/{guild_id}",
    name: "guild",
    title: "A server",
    description: "Numbers of a server: members, channels, roles, boosts.",
    mimeType: json,
  },
  {
    uriTemplate: "discord://guilds/{guild_id}/channels",
    name: "channels",
    title: "The channels of a server",
    description: "Those that you can see.",
    mimeType: json,
  },
  {
    uriTemplate: "discord://channels/{channel_id}/messages",
    name: "messages",
    title: "The messages of a channel",
    description: `The newest ${lines}. It can be subscribed to.`,
    mimeType: json,
  },
  {
    uriTemplate: "discord://users/{user_id}",
    name: "user",
    title: "A person",
    description: "Who a user is, and in a server their roles.",
    mimeType: json,
  },
];

type Deps = Pick<McpDeps, "tools" | "rules" | "places" | "sessions" | "audit">;
type By = Pick<Exchange, "caller" | "signal">;

/** Reading by address is calling a tool: the same rules, the same audit. What is one's own is read from our own. */
export function resourceSurface(
  deps: Deps,
  watching: Watching,
): Pick<Surface, "resources" | "templates" | "read" | "complete" | "watch"> {
  async function readTool(toolName: string, input: object, actor: Actor, exchange: By) {
    const { caller, signal } = exchange;
    deps.rules.assertScope(caller.principal, "tools");
    await assertThere(deps, actor, signal);
    const outcome = await deps.tools.call({
      toolName,
      input,
      actor,
      activeTools: caller.session?.activeTools ?? [],
      sessionId: caller.session?.id ?? null,
      tokenId: caller.principal.tokenId,
      signal,
    });
    if (outcome.kind === "done") return outcome.value;
    const { code = "internal_error", text, data = {} } = outcome;
    throw new AppError(code, text, { data });
  }

  async function read(name: ResourceName, exchange: By): Promise<unknown> {
    const { caller, signal } = exchange;
    const actor = actorOf(caller);
    switch (name.kind) {
      case "guild":
        return readTool("discord_server_stats", {}, inGuild(name.guildId, actor, exchange), exchange);
      case "channels":
        return readTool(
          "discord_channels_list",
          { limit: 100 },
          inGuild(name.guildId, actor, exchange),
          exchange,
        );
      case "messages":
        return readTool(
          "discord_message_history",
          { channel_id: name.channelId, limit: lines },
          actor,
          exchange,
        );
      case "user":
        return readTool("discord_user_lookup", { user_id: name.userId }, actor, exchange);
      case "audit":
        deps.rules.assertScope(caller.principal, "tools");
        return { calls: await ownCalls(actor, exchange) };
      case "conversation":
        deps.rules.assertScope(caller.principal, "turns");
        await assertThere(deps, actor, signal);
        return deps.sessions.context(await clientSession(deps, caller, actor));
      default:
        return name satisfies never;
    }
  }

  /** Where a server is named, the person is asked about as being there. */
  function inGuild(guildId: string, actor: Actor, { caller }: By): Actor {
    if (guildId === actor.guildId) return actor;
    if (caller.session !== null)
      throw new AppError("not_found", "A session token reads of its own server alone.");
    deps.rules.assertMayOpen(caller.principal, { userId: actor.userId, guildId });
    return { ...actor, guildId, channelId: nowhere };
  }

  /** A token that is limited to servers is told what was done there alone. */
  async function ownCalls({ userId, guildId }: Actor, { caller }: By) {
    const isLimited = caller.session !== null || caller.principal.guildIds !== null;
    const rows = await deps.audit.list({
      limit: lines,
      actorUserId: userId,
      ...(isLimited && guildId !== null ? { guildId } : {}),
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

  async function contents(uri: string, name: ResourceName, exchange: By): Promise<ReadResourceResult> {
    try {
      const text = JSON.stringify({ note, result: (await read(name, exchange)) ?? null });
      return { contents: [{ uri, mimeType: json, text }] };
    } catch (error) {
      if (error instanceof AppError && error.code === "not_found") throw new ResourceNotFoundError(uri);
      throw error;
    }
  }

  async function complete({ argument, context }: Completing, exchange: Exchange): Promise<readonly string[]> {
    const actor = actorOf(exchange.caller);
    const guildId = context?.arguments?.guild_id ?? actor.guildId;
    if (argument.name === "guild_id") return actor.guildId === null ? [] : [actor.guildId];
    if (guildId === null || !/^\d{15,20}$/.test(guildId)) return [];
    const there = inGuild(guildId, actor, exchange);
    const said = argument.value.replace(/^[#@]/, "").slice(0, 100);
    if (argument.name === "channel_id") {
      const input = { limit: suggestions, ...(said === "" ? {} : { name: said }) };
      return idsIn(await readTool("discord_channels_list", input, there, exchange), "channels", "channel_id");
    }
    const input = { limit: suggestions, ...(said.trim() === "" ? {} : { query: said }) };
    return idsIn(await readTool("discord_members_search", input, there, exchange), "members", "user_id");
  }

  /** Only who may read it now begins to listen; it goes into the audit log as the reading that it is. */
  async function watch(
    name: ResourceName & { readonly kind: "messages" },
    by: By,
    tell: (uri: string) => void,
  ) {
    await read(name, by);
    return watching.watch(actorOf(by.caller), name.channelId, tell);
  }

  return {
    watch(uri, caller, tell, signal) {
      const name = readUri(uri);
      return name?.kind === "messages" ? watch(name, { caller, signal }, tell) : null;
    },
    resources: async ({ caller }) => (caller.actor === null ? [] : listed(caller.actor)),
    templates: () => templates,
    read(uri, exchange) {
      const name = readUri(uri);
      return name === null ? null : contents(uri, name, exchange);
    },
    complete(asked, exchange) {
      const { ref, argument } = asked;
      const isOurs =
        ref.type === "ref/resource" && templates.some(({ uriTemplate }) => uriTemplate === ref.uri);
      if (!isOurs || !["guild_id", "channel_id", "user_id"].includes(argument.name)) return null;
      return complete(asked, exchange);
    },
  };
}

/** What is certainly there; the rest is found by the templates. */
function listed({ guildId, channelId }: Actor): readonly Resource[] {
  const own = [
    {
      uri: "discord://me/conversation",
      name: "conversation",
      title: "Your conversation with the agent",
      description:
        "What was said with the tool ask from this client, and what the agent knows of your wishes.",
      mimeType: json,
    },
    {
      uri: "discord://me/audit",
      name: "audit",
      title: "What was done on your behalf",
      description: `The last ${lines} tool calls, allowed or refused.`,
      mimeType: json,
    },
  ];
  const ofGuild =
    guildId === null
      ? []
      : [
          { uri: `discord://guilds/${guildId}`, name: "guild", title: "This server", mimeType: json },
          {
            uri: `discord://guilds/${guildId}/channels`,
            name: "channels",
            title: "The channels of this server",
            mimeType: json,
          },
        ];
  const ofChannel =
    channelId === nowhere
      ? []
      : [
          {
            uri: `discord://channels/${channelId}/messages`,
            name: "messages",
            title: "The messages of this channel",
            mimeType: json,
          },
        ];
  return [...ofGuild, ...ofChannel, ...own];
}

/** The ids in a tool's result; what is not there as expected is passed over. */
function idsIn(value: unknown, list: string, key: string): readonly string[] {
  const items = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const found: unknown = items.find(([name]) => name === list)?.[1];
  return Array.isArray(found)
    ? found.flatMap((item: unknown) => {
        const id =
          typeof item === "object" && item !== null
            ? Object.entries(item).find(([name]) => name === key)
            : undefined;
        return typeof id?.[1] === "string" ? [id[1]] : [];
      })
    : [];
}
