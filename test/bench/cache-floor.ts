import { Client, Guild } from "discord.js";
import { feed, heapBytes, sizeOf } from "./cache-feed.ts";
import { partArgs, servePart } from "./parts.ts";

/** discord.js's client with its own defaults, which keep all of it. */
function fill(size: ReturnType<typeof sizeOf>): Client {
  const client = new Client({ intents: [] });
  feed(size, (payload) => {
    const guild: Guild = Reflect.construct(Guild, [client, payload]);
    client.guilds.cache.set(guild.id, guild);
  });
  return client;
}

const warm = fill({ guilds: 2, channels: 6, roles: 6, members: 6 });
const before = await heapBytes();
const client = fill(sizeOf(partArgs()));
const held = (await heapBytes()) - before;
const members = client.guilds.cache.reduce((count, guild) => count + guild.members.cache.size, 0);
const facts = { guilds: client.guilds.cache.size, channels: client.channels.cache.size, members };
servePart({ held, ...facts, warm: warm.guilds.cache.size }, {});
