import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import { headersOf, initialize, initialized, posted, request } from "./mcp-frames.ts";
import { openHttp } from "./mcp-http-client.ts";
import { openSocket } from "./mcp-socket-client.ts";
import { type Facts, numberOf, servePart, textOf } from "./parts.ts";

/** Clients that wait to be told of messages, each on a connection of its own; they are there until it ends. */
const { channels, guildId, users } = DEMO;
const place = `?user_id=${users.ana}&guild_id=${guildId}&channel_id=${channels.general}`;
const uri = `discord://channels/${channels.general}/messages`;

type Open = (port: number, token: string, id: string) => Promise<void>;

const ways: Readonly<Record<string, Open>> = {
  /** A stream of `subscriptions/listen`. */
  async http(port, token, id) {
    const revision = "2026-07-28";
    const method = "subscriptions/listen";
    const http = await openHttp(port);
    const body = request(revision, id, method, { notifications: { resourceSubscriptions: [uri] } });
    const bytes = posted(port, `/mcp${place}`, headersOf({ revision, token, method }), body);
    const { head, body: first } = await http.ask(bytes, "\n\n");
    if (!head.includes(" 200 ") || !first.includes("acknowledged")) throw new Error(`${head}\n${first}`);
  },
  /** A subscription of the 2025 era. */
  async ws(port, token, id) {
    const line = await openSocket(`${port}/mcp/ws${place}`, token, ["mcp"]);
    await line.ask(initialize);
    line.send(initialized);
    const answer = await line.ask(request("2025-11-25", id, "resources/subscribe", { uri }));
    if (!answer.includes('"result"')) throw new Error(answer);
  },
  /** A connection of the JSON protocol, which is told of nothing. */
  async json(port, token) {
    await openSocket(`${port}/mcp/ws`, token, []);
  },
};

async function listen(facts: Facts): Promise<Facts> {
  const open = ways[textOf(facts, "way")];
  if (open === undefined) throw new Error(`there is no way ${facts.way}`);
  const count = numberOf(facts, "count");
  // Some at a time: a server's queue of connections is not what is measured.
  for (let n = 0; n < count; n += 50) {
    const some = Array.from({ length: Math.min(50, count - n) }, (_, k) => `l${n + k}`);
    await Promise.all(some.map((id) => open(numberOf(facts, "port"), textOf(facts, "token"), id)));
  }
  return { count };
}

servePart({}, { listen });
