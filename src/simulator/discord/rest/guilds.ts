import type { APIGuildMember } from "discord-api-types/v10";
import { guildObject, visibleThreads } from "../gateway-payloads.ts";
import { isThread, mayView } from "../permissions.ts";
import { compareIds, isSnowflake } from "../snowflake.ts";
import type { AnyChannel } from "../world.ts";
import { reachChannel, reachGuild } from "./access.ts";
import { ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { missingAccess, unknownEmoji, unknownMember, unknownRole, unknownUser } from "./errors.ts";
import { Form } from "./form.ts";

export const guildRoutes: readonly Route[] = [
  { method: "GET", pattern: "/guilds/:guildId", handle: guild },
  { method: "GET", pattern: "/guilds/:guildId/channels", handle: channels },
  {
    method: "GET",
    pattern: "/guilds/:guildId/roles",
    handle: (request) => ok([...reachGuild(request).roles.values()]),
  },
  { method: "GET", pattern: "/guilds/:guildId/roles/:roleId", handle: role },
  {
    method: "GET",
    pattern: "/guilds/:guildId/emojis",
    handle: (request) => ok([...reachGuild(request).emojis.values()]),
  },
  { method: "GET", pattern: "/guilds/:guildId/emojis/:emojiId", handle: emoji },
  { method: "GET", pattern: "/guilds/:guildId/members", handle: members },
  { method: "GET", pattern: "/guilds/:guildId/members/search", handle: searchMembers },
  { method: "GET", pattern: "/guilds/:guildId/members/:userId", handle: member },
  { method: "GET", pattern: "/guilds/:guildId/threads/active", handle: activeThreads },
  {
    method: "GET",
    pattern: "/channels/:channelId",
    handle: (request) => ok(channelObject(request, reachChannel(request))),
  },
];

function guild(request: RestRequest): RestReply {
  const found = reachGuild(request);
  const form = Form.ofQuery(request.query);
  const withCounts = form.flag("with_counts") ?? false;
  form.check();
  // `hub_type` and the like exist on the gateway only where Discord's types know them; REST sends the same object.
  const counts = {
    approximate_member_count: found.members.size,
    approximate_presence_count: found.online.size,
  };
  return ok({ ...guildObject(found), ...(withCounts ? counts : {}) });
}

/** Without threads, and without those that the bot cannot see. */
function channels(request: RestRequest): RestReply {
  const { world } = request;
  return ok(
    [...reachGuild(request).channels.values()].filter((channel) => mayView(world, channel, world.botUser.id)),
  );
}

/** As REST gives it: a direct channel has no name, and a thread names the bot's own membership. */
function channelObject(request: RestRequest, channel: AnyChannel): object {
  if (isThread(channel)) {
    const own = request.world
      .guildOfChannel(channel.id)
      ?.threadMembers.get(channel.id)
      ?.get(request.world.botUser.id);
    return own === undefined ? channel : { ...channel, member: own };
  }
  return channel;
}

function role(request: RestRequest): RestReply {
  const found = reachGuild(request).roles.get(request.param("roleId"));
  if (found === undefined) throw unknownRole();
  return ok(found);
}

function emoji(request: RestRequest): RestReply {
  const found = reachGuild(request).emojis.get(request.param("emojiId"));
  if (found === undefined) throw unknownEmoji();
  return ok(found);
}

/** Needs the GUILD_MEMBERS intent: https://discord.com/developers/docs/resources/guild#list-guild-members */
function members(request: RestRequest): RestReply {
  const found = reachGuild(request);
  if (!request.allowedIntents.members) throw missingAccess();
  const form = Form.ofQuery(request.query);
  const limit = form.integer("limit", { min: 1, max: 1000 }) ?? 1;
  const after = form.snowflake("after") ?? "0";
  form.check();
  const sorted = [...found.members.values()].sort((a, b) => compareIds(a.user.id, b.user.id));
  return ok(sorted.filter((one) => compareIds(one.user.id, after) > 0).slice(0, limit));
}

function searchMembers(request: RestRequest): RestReply {
  const found = reachGuild(request);
  const form = Form.ofQuery(request.query);
  const query = form.required("query", form.text("query", { max: 100, min: 1 }));
  const limit = form.integer("limit", { min: 1, max: 1000 }) ?? 1;
  form.check();
  const needle = query.toLowerCase();
  const fits = (one: APIGuildMember) =>
    [one.user.username, one.user.global_name, one.nick].some((name) =>
      name?.toLowerCase().startsWith(needle),
    );
  return ok([...found.members.values()].filter(fits).slice(0, limit));
}

function member(request: RestRequest): RestReply {
  const found = reachGuild(request);
  const userId = request.param("userId");
  if (!isSnowflake(userId)) {
    const form = new Form({ user_id: userId });
    form.snowflake("user_id");
    form.check();
  }
  const one = found.members.get(userId);
  if (one !== undefined) return ok(one);
  throw request.world.users.has(userId) ? unknownMember() : unknownUser();
}

/** The latest first: https://discord.com/developers/docs/resources/guild#list-active-guild-threads */
function activeThreads(request: RestRequest): RestReply {
  const found = reachGuild(request);
  const threads = visibleThreads(request.world, found).sort((a, b) => compareIds(b.id, a.id));
  const botId = request.world.botUser.id;
  const own = threads.flatMap((thread) => found.threadMembers.get(thread.id)?.get(botId) ?? []);
  return ok({ threads, members: own, has_more: false });
}
