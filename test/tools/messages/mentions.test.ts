import { expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import type { WorldSeed } from "../../../src/simulator/discord/seed.ts";
import { messagesTools } from "../../../src/tools/messages/all.ts";
import { DEMO, grant, startWorld, type ToolWorld } from "../world.ts";

const { channels, users } = DEMO;
const { MentionEveryone, UseExternalEmojis } = PermissionFlagsBits;
const send = "discord_message_send";
const reply = "discord_message_reply";
const edit = "discord_message_edit";
const thread = channels.sharedThread;

/** "boat names", to which Ana belongs, takes in only whom its maker or a moderator adds. */
const closed = (seed: WorldSeed): WorldSeed => ({
  ...seed,
  guilds: seed.guilds.map((guild) => ({
    ...guild,
    channels: guild.channels.map((one) => (one.id === thread ? { ...one, invitable: false } : one)),
  })),
});
const start = (seed = closed) => startWorld({ tools: messagesTools, seed });

async function mentionedBy(world: ToolWorld, tool: string, input: object, as: string): Promise<string[]> {
  const value = await world.done(tool, { channel_id: thread, ...input }, { as });
  const id = typeof value === "object" && value !== null && "message_id" in value ? value.message_id : "";
  const message = world.simulator.world.messages.get(String(id));
  if (message === null) throw new Error("Nothing was posted.");
  return message.mentions.map((user) => user.id);
}

// Discord takes whom a message mentions into a private thread, by the power of who posts it: here the bot's.
test("nobody is brought into a private thread by a mention of who may add nobody", async () => {
  await using world = await start();
  const content = `Look, <@${users.ben}>`;
  expect(await mentionedBy(world, send, { content }, users.ana)).toEqual([]);
  expect(await mentionedBy(world, send, { content }, users.moderator)).toEqual([users.ben]);

  const { id: own } = world.simulator.say({ userId: users.moderator, channelId: thread, content: "Tea?" });
  const ping = { message_id: own, content, ping: true };
  expect(await mentionedBy(world, reply, ping, users.ana)).toEqual([]);
  expect(await mentionedBy(world, reply, ping, users.moderator)).toContain(users.ben);

  // Without a sound an edited message does the same.
  const posted = await world.done(send, { channel_id: thread, content: "Later" }, { as: users.ana });
  const message_id = posted && typeof posted === "object" && "message_id" in posted ? posted.message_id : "";
  expect(await mentionedBy(world, edit, { message_id, content }, users.ana)).toEqual([]);

  grant(world, users.ana, MentionEveryone);
  expect(await mentionedBy(world, send, { content: `${content} @everyone` }, users.ana)).toEqual([]);
});

test("where members may add others, they may by a mention too", async () => {
  await using world = await start((seed) => seed);
  expect(await mentionedBy(world, send, { content: `<@${users.ben}>` }, users.ana)).toEqual([users.ben]);
});

test("another server's emoji is one whatever it is called", async () => {
  await using world = await start();
  const long = "x".repeat(40);
  for (const name of ["_", "ok", long]) {
    const content = `Hi <:${name}:123456789012345678>`;
    await world.refused(send, { content }, { as: users.ana }, "@Ana cannot Use External Emojis");
  }
  grant(world, "everyone", UseExternalEmojis);
  await world.done(send, { content: "Hi <:_:123456789012345678>" }, { as: users.ana });
});
