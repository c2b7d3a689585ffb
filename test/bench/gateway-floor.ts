import { Client, Events, GatewayIntentBits } from "discord.js";
import { partArgs, servePart, textOf } from "./parts.ts";
import { processor, residentBytes } from "./processes.ts";

/** discord.js as its guide sets it up, with the intents that the product asks for. */
const args = partArgs();
const client = new Client({
  intents: [
    GatewayIntentBits.Guilds,
    GatewayIntentBits.GuildMembers,
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.MessageContent,
    GatewayIntentBits.DirectMessages,
  ],
  rest: { api: textOf(args, "apiUrl") },
});
let messages = 0;
client.on(Events.MessageCreate, () => {
  messages++;
});
const before = await residentBytes();
await client.login(textOf(args, "token"));
servePart({ before }, { resident: async () => ({ messages, after: await residentBytes() }), processor });
