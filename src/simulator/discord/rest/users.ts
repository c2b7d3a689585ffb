import { PermissionFlagsBits } from "discord-api-types/v10";
import { directChannelPayload } from "../channel-payloads.ts";
import { applicationFlags, guildObject } from "../gateway-payloads.ts";
import { guildPermissions } from "../permissions.ts";
import type { World } from "../world.ts";
import { ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { DiscordError, unknownUser } from "./errors.ts";
import { Form } from "./form.ts";

export const userRoutes: readonly Route[] = [
  { method: "GET", pattern: "/users/@me", handle: me },
  { method: "GET", pattern: "/users/@me/guilds", handle: myGuilds },
  { method: "POST", pattern: "/users/@me/channels", handle: openDirect },
  { method: "GET", pattern: "/users/:userId", handle: user },
  { method: "GET", pattern: "/oauth2/applications/@me", handle: application },
  { method: "GET", pattern: "/applications/@me", handle: application },
  {
    method: "GET",
    pattern: "/gateway",
    authorized: false,
    handle: ({ gatewayUrl }) => ok({ url: gatewayUrl() }),
  },
  { method: "GET", pattern: "/gateway/bot", handle: gatewayBot },
];

function me({ world }: RestRequest): RestReply {
  return ok({
    ...world.botUser,
    mfa_enabled: true,
    locale: "en-US",
    verified: true,
    email: null,
    premium_type: 0,
  });
}

function user({ world, param }: RestRequest): RestReply {
  const id = param("userId");
  const form = new Form({ user_id: id });
  form.snowflake("user_id");
  form.check();
  const found = world.users.get(id);
  if (found === undefined) throw unknownUser();
  return ok(found);
}

function myGuilds(request: RestRequest): RestReply {
  const { world } = request;
  const form = Form.ofQuery(request.query);
  const limit = form.integer("limit", { min: 1, max: 200 }) ?? 200;
  const after = BigInt(form.snowflake("after") ?? "0");
  const withCounts = form.flag("with_counts") ?? false;
  form.check();
  const guilds = [...world.guilds.values()].filter((guild) => guild.hasBot && BigInt(guild.id) > after);
  return ok(
    guilds.slice(0, limit).map((guild) => ({
      id: guild.id,
      name: guild.info.name,
      icon: null,
      banner: null,
      owner: guild.info.owner_id === world.botUser.id,
      permissions: String(guildPermissions(world, guild, world.botUser.id)),
      features: guildObject(guild).features,
      ...(withCounts
        ? { approximate_member_count: guild.members.size, approximate_presence_count: guild.online.size }
        : {}),
    })),
  );
}

function openDirect(request: RestRequest): RestReply {
  const { world } = request;
  const form = new Form(request.body);
  const recipientId = form.required("recipient_id", form.snowflake("recipient_id"));
  form.check();
  if (!world.users.has(recipientId)) {
    form.fail("recipient_id", "USER_INVALID", "User is invalid");
    form.check();
  }
  if (recipientId === world.botUser.id)
    throw new DiscordError(400, 50_007, "Cannot send messages to this user");
  return ok(directChannel(world, recipientId));
}

/** The direct channel of the bot and a user, made when there is none. */
export function directChannel(world: World, userId: string) {
  for (const channel of world.directChannels.values()) {
    if (channel.recipients?.some((recipient) => recipient.id === userId)) return channel;
  }
  const channel = directChannelPayload(world.ids.next(), world.user(userId));
  world.directChannels.set(channel.id, channel);
  return channel;
}

function application({ world, allowedIntents, publicKey }: RestRequest): RestReply {
  const flags = applicationFlags(allowedIntents);
  const owner = [...world.guilds.values()][0]?.info.owner_id;
  return ok({
    id: world.applicationId,
    name: world.botUser.username,
    icon: null,
    description: "A simulated application",
    type: null,
    bot: world.botUser,
    bot_public: true,
    bot_require_code_grant: false,
    verify_key: publicKey,
    flags,
    flags_new: String(flags),
    redirect_uris: [],
    interactions_endpoint_url: null,
    role_connections_verification_url: null,
    owner: owner === undefined ? world.botUser : world.user(owner),
    approximate_guild_count: world.guilds.size,
    approximate_user_install_count: 0,
    approximate_user_authorization_count: 0,
    explicit_content_filter: 0,
    team: null,
    eligible_oauth2_scopes: ["bot", "applications.commands"],
    install_params: {
      scopes: ["bot", "applications.commands"],
      permissions: String(PermissionFlagsBits.ViewChannel),
    },
  });
}

function gatewayBot({ gatewayUrl, recommendedShards, startLimit }: RestRequest): RestReply {
  return ok({ url: gatewayUrl(), shards: recommendedShards, session_start_limit: startLimit });
}
