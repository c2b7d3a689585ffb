import {
  GatewayDispatchEvents as Events,
  type GatewayDispatchPayload,
  type GatewayGuildCreateDispatchData,
  type GatewayMessageCreateDispatchData,
  GatewayOpcodes,
  type GatewayRateLimitedDispatchData,
} from "discord-api-types/v10";
import {
  both,
  type Fits,
  isAnything,
  isBoolean,
  isId,
  isNumber,
  isText,
  isWhole,
  listOf,
  maybe,
  object,
  orNothing,
} from "../fits.ts";
import {
  isChannel,
  isGuild,
  isMember,
  isMemberOfItsAuthor,
  isMessage,
  isRole,
  isUser,
} from "../promised-shapes.ts";

type Data<Type> = Extract<GatewayDispatchPayload, { readonly t: Type }>["d"];
type Promised = { readonly [Type in Events]?: Fits<Data<Type>> };

const isPlaced = object<{ id: string; guild_id?: string }>({ id: isId, guild_id: maybe(isId) });
const isOfGuild = object<{ guild_id: string }>({ guild_id: isId });
const isOfRole = object<Data<Events.GuildRoleCreate>>({ guild_id: isId, role: isRole });

const isThere = both(
  isGuild,
  object<GatewayGuildCreateDispatchData>({
    ...{ channels: listOf(isChannel), threads: listOf(isChannel), members: listOf(isMember) },
  }),
);
/** One that is down at Discord has no more than its id. */
const isDown = object<{ id: string; unavailable: boolean }>({
  id: isId,
  unavailable: (given) => given === true,
});

const isMessageOfGateway = both(
  isMessage,
  object<GatewayMessageCreateDispatchData & { nonce?: string | number }>({
    ...{ guild_id: maybe(isId), member: maybe(isMemberOfItsAuthor), nonce: maybe(isNonce) },
  }),
);
function isNonce(value: unknown): boolean {
  return isText(value) || isNumber(value);
}
/** What Discord itself adds to a message, such as an embed, can come without the rest of it. */
const isPartOfMessage = object<Data<Events.MessageUpdate>>({
  ...{ id: isId, channel_id: isId, type: (given) => given === undefined },
});

const isLimitOfMembers = object<GatewayRateLimitedDispatchData>({
  ...{ opcode: isWhole, retry_after: isNumber, meta: object({ guild_id: isId, nonce: maybe(isText) }) },
});
const isLimitOfOthers = object<{ opcode: number }>({
  opcode: (given) => isWhole(given) && given !== GatewayOpcodes.RequestGuildMembers,
});

const promised: Promised = {
  [Events.Ready]: object({
    ...{ guilds: listOf(object({ id: isId })), shard: maybe(listOf(isWhole)) },
  }),
  [Events.GuildCreate]: (data) => isDown(data) || isThere(data),
  [Events.GuildUpdate]: isGuild,
  [Events.GuildDelete]: object({ id: isId, unavailable: maybe(isBoolean) }),
  [Events.GuildRoleCreate]: isOfRole,
  [Events.GuildRoleUpdate]: isOfRole,
  [Events.GuildRoleDelete]: object({ guild_id: isId, role_id: isId }),
  [Events.ChannelCreate]: isChannel,
  [Events.ChannelUpdate]: isChannel,
  [Events.ChannelDelete]: isPlaced,
  [Events.ThreadCreate]: isChannel,
  [Events.ThreadUpdate]: isChannel,
  [Events.ThreadDelete]: isPlaced,
  [Events.ThreadListSync]: object({
    ...{ guild_id: isId, channel_ids: maybe(listOf(isId)), threads: listOf(isChannel) },
  }),
  [Events.ThreadMembersUpdate]: isOfGuild,
  [Events.GuildMemberAdd]: both(isMember, isOfGuild),
  [Events.GuildMemberUpdate]: both(isMember, isOfGuild),
  [Events.GuildMemberRemove]: object({ guild_id: isId, user: isUser }),
  // Of each member it is checked by itself whether it can be gone by.
  [Events.GuildMembersChunk]: object({
    ...{ guild_id: isId, members: listOf(isAnything), nonce: orNothing(isText) },
    ...{ chunk_index: isWhole, chunk_count: isWhole },
  }),
  [Events.RateLimited]: (data) => isLimitOfOthers(data) || isLimitOfMembers(data),
  [Events.MessageCreate]: isMessageOfGateway,
  [Events.MessageUpdate]: (data) => isPartOfMessage(data) || isMessageOfGateway(data),
  [Events.MessageDelete]: object({ id: isId, channel_id: isId }),
  [Events.MessageDeleteBulk]: object({ ids: listOf(isId), channel_id: isId }),
};

/** Whether a dispatch is what Discord promises of its type, as far as we go by it; of types that we pass over it is. */
export function isPromised({ t, d }: GatewayDispatchPayload): boolean {
  const fits = Object.hasOwn(promised, t) ? promised[t] : undefined;
  return fits === undefined || fits(d);
}
