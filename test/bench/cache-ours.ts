import { GatewayDispatchEvents, GatewayOpcodes } from "discord-api-types/v10";
import { GuildState } from "../../src/discord/state/guild-state.ts";
import { memberFacts } from "../../src/discord/state/state-shapes.ts";
import { botId, feed, heapBytes, sizeOf } from "./cache-feed.ts";
import { partArgs, servePart } from "./parts.ts";

/** Our state, with every member remembered: in service it is those who were asked for, at most 20,000. */
function fill(size: ReturnType<typeof sizeOf>): GuildState {
  const state = new GuildState();
  state.botUserId = botId;
  let s = 0;
  feed(size, (d) => {
    state.apply({ op: GatewayOpcodes.Dispatch, t: GatewayDispatchEvents.GuildCreate, s: ++s, d });
    for (const member of d.members) state.rememberMember(d.id, memberFacts(member.user.id, member));
  });
  return state;
}

const warm = fill({ guilds: 2, channels: 6, roles: 6, members: 6 });
const before = await heapBytes();
const state = fill(sizeOf(partArgs()));
const held = (await heapBytes()) - before;
servePart({ held, ...state.sizes, warm: warm.sizes.guilds }, {});
