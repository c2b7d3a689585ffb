import { expect, test } from "bun:test";
import { CompressionMethod } from "@discordjs/ws";
import { GatewayDispatchEvents } from "discord-api-types/v10";
import { startDiscordSimulator } from "../../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import { api, gatewayClient } from "./harness.ts";

for (const compression of [null, CompressionMethod.ZlibNative]) {
  test(`a mention reaches the client and its answer reaches the channel (compression ${compression})`, async () => {
    await using simulator = await startDiscordSimulator();
    await using client = gatewayClient(simulator, { compression });
    await client.manager.connect();
    await client.next((event) => event.t === GatewayDispatchEvents.GuildCreate);
    const { general } = DEMO.channels;
    const asked = simulator.say({
      userId: DEMO.users.ana,
      channelId: general,
      content: `<@${DEMO.botId}> ahoy`,
    });
    const event = await client.next((one) => one.t === GatewayDispatchEvents.MessageCreate);
    expect(event.d).toMatchObject({ id: asked.id, guild_id: DEMO.guildId, mentions: [{ id: DEMO.botId }] });
    const answer = await api(simulator).channels.createMessage(general, {
      content: "Ahoy!",
      message_reference: { message_id: asked.id },
    });
    const seen = await simulator.waitForBotMessage({ channelId: general });
    expect(seen).toMatchObject({ id: answer.id, referenced_message: { id: asked.id } });
    const latest = await api(simulator).channels.getMessages(general, { limit: 2 });
    expect(latest.map((message) => message.id)).toEqual([answer.id, asked.id]);
  });
}
