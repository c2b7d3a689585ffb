import { GatewayDispatchEvents as Events, GatewayIntentBits, GatewayOpcodes } from "discord-api-types/v10";
import { type DiscordSimulator, startDiscordSimulator } from "../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";

export interface Recorded {
  readonly t: string;
  readonly d: unknown;
}

const { users, channels, roles, guildId, botId } = DEMO;

/** What a client with every intent is sent while much happens, one dispatch of each type at least. */
export async function recordGateway(): Promise<readonly Recorded[]> {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  const recorded: Recorded[] = [];
  const over = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const socket = new WebSocket(`${simulator.gatewayUrl}?v=10&encoding=json`);
  socket.onclose = ({ code, reason }) => ready.reject(new Error(`closed with ${code} ${reason}`));
  socket.onmessage = ({ data }) => {
    const { op, t, d } = JSON.parse(String(data));
    if (op === GatewayOpcodes.Hello) socket.send(identify(simulator.token));
    if (op !== GatewayOpcodes.Dispatch) return;
    if (t === Events.GuildCreate) ready.resolve();
    if (t === "THE_END") over.resolve();
    else recorded.push({ t, d });
  };
  await ready.promise;
  happen(simulator);
  simulator.faults.gateway.deliver("THE_END", {});
  await over.promise;
  socket.close();
  return recorded;
}

/** Every intent that there is. */
const everything = Object.values(GatewayIntentBits).reduce<number>(
  (all, bit) => (typeof bit === "number" ? all | bit : all),
  0,
);

function identify(token: string): string {
  const properties = { os: "linux", browser: "fuzz", device: "fuzz" };
  const d = { token, properties, intents: everything, shard: [0, 1] };
  return JSON.stringify({ op: GatewayOpcodes.Identify, d });
}

function happen({ say, edit, remove, people, changes, interact, openDirectMessage }: DiscordSimulator): void {
  const asked = say({
    userId: users.ana,
    channelId: channels.general,
    content: `<@${botId}> and <@&${roles.bot}>, see <#${channels.help}>`,
  });
  const answered = say({
    userId: users.ben,
    channelId: channels.general,
    content: "Yes.",
    replyTo: asked.id,
    attachments: [{ filename: "map.png" }],
  });
  say({ userId: users.ana, channelId: openDirectMessage(users.ana), content: "Hello there" });
  say({ userId: users.ana, channelId: channels.general, content: "!reset" });
  edit(asked.id, `<@${botId}> hello again`);
  people.react(users.ben, asked.id, "👍");
  people.type(users.ben, channels.general);
  remove(answered.id);
  const { id: channelId } = changes.channels.add(guildId, { kind: "text", name: "dock" });
  changes.channels.update(channelId, { topic: "Ropes" });
  changes.channels.setOverwrite(channels.general, {
    id: roles.crew,
    type: "role",
    allow: 1n << 10n,
    deny: 0n,
  });
  changes.channels.addThreadMember(channels.thread, users.ben);
  changes.channels.update(channels.thread, { name: "long talk" });
  changes.channels.remove(channelId);
  const { id: roleId } = changes.guilds.addRole(guildId, { name: "Rowers", permissions: 0n });
  changes.guilds.updateRole(guildId, roleId, { name: "Sailors" });
  changes.members.addRole(guildId, users.ben, roleId);
  changes.members.timeout(guildId, users.ben, Date.now() + 60_000);
  changes.members.update(guildId, botId, { nick: "Pilot" });
  changes.guilds.removeRole(guildId, roleId);
  changes.guilds.update(guildId, { name: "Harbour" });
  changes.guilds.setOnline(guildId, users.ben, true);
  changes.members.ban(guildId, users.otherBot);
  interact.press({ userId: users.ana, messageId: asked.id, customId: "approve" });
  interact.command({ userId: users.ana, channelId: channels.general, name: "help" });
  changes.guilds.interrupt(guildId);
  changes.guilds.restore(guildId);
}
