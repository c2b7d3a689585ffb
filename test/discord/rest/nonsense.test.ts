import { describe, expect, test } from "bun:test";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import type { DiscordReader } from "../../../src/tools/discord-port.ts";
import { failure, plainly, startRestSite } from "./site.ts";

const { channels, guildId, users } = DEMO;
const { signal } = new AbortController();
const author = { id: "3", username: "ana" };
const message = {
  id: "1",
  channel_id: "2",
  type: 0,
  author,
  content: "x",
  timestamp: "2026-01-01T00:00:00Z",
};
const lists = { mentions: [], mention_roles: [], attachments: [], embeds: [], edited_timestamp: null };
const channelWith = (permission_overwrites: unknown) => ({
  id: "1",
  type: 0,
  name: "x",
  permission_overwrites,
});
const memberWith = (part: object) => ({ user: author, roles: [], joined_at: null, ...part });

type Read = (reader: DiscordReader) => Promise<unknown>;
const search = { channelIds: [channels.general], content: "x", limit: 1, offset: 0 };

const reads: readonly (readonly [what: string, read: Read, answer: unknown])[] = [
  ["a channel of no type", (r) => r.channel(channels.general, signal), { id: channels.general }],
  [
    "a channel called by a list",
    (r) => r.channel(channels.general, signal),
    { id: "1", type: 0, name: ["x"] },
  ],
  ["channels that are no list", (r) => r.guildChannels(guildId, signal), {}],
  ["a server without an owner", (r) => r.guild(guildId, signal), { id: guildId, name: "x", roles: [] }],
  ["a role without permissions", (r) => r.guildRoles(guildId, signal), [{ id: "1", name: "x", position: 1 }]],
  ["a message without its lists", (r) => r.message(channels.general, "1", signal), message],
  ["messages with a hole", (r) => r.messages(channels.general, { limit: 1 }, signal), [null]],
  ["search results that are none", (r) => r.searchMessages(guildId, search, signal), { messages: {} }],
  ["pins without messages", (r) => r.pins(channels.general, { limit: 1 }, signal), { items: [{}] }],
  ["threads that are no list", (r) => r.activeThreads(guildId, signal), { threads: "x" }],
  ["a member that is nobody", (r) => r.member(guildId, users.ben, signal), { roles: [] }],
  ["an audit log of nothing", (r) => r.auditLog(guildId, { limit: 1 }, signal), {}],
  ["an overwrite that is none", (r) => r.channel(channels.general, signal), channelWith([null])],
  [
    "an overwrite that denies nothing to be read",
    (r) => r.channel(channels.general, signal),
    channelWith([{ id: "5", type: 0, allow: "0", deny: "" }]),
  ],
  [
    "an overwrite of neither kind",
    (r) => r.channel(channels.general, signal),
    channelWith([{ id: "5", type: "0", allow: "0", deny: "1024" }]),
  ],
  [
    "a member with a role that is none",
    (r) => r.member(guildId, users.ben, signal),
    memberWith({ roles: [5] }),
  ],
  [
    "a member who is timed out until nobody knows when",
    (r) => r.member(guildId, users.ben, signal),
    memberWith({ communication_disabled_until: "soon" }),
  ],
  ["a ban for no text", (r) => r.ban(guildId, users.ben, signal), { user: author, reason: {} }],
  [
    "a message with an attachment that is none",
    (r) => r.message(channels.general, "1", signal),
    { ...message, ...lists, attachments: [{ id: "6", filename: "x" }] },
  ],
  [
    "a reply to what is no message",
    (r) => r.message(channels.general, "1", signal),
    { ...message, ...lists, referenced_message: message },
  ],
  ["nothing at all", (r) => r.user(users.ben, signal), null],
];

describe("an answer that makes no sense", () => {
  test.each(reads)("is an error of Discord's: %s", async (_what, read, body) => {
    await using site = await startRestSite();
    site.simulator.faults.rest({ method: "GET", respond: 200, body });
    const error = await failure(read(site.reader));
    expect(error).toMatchObject({
      code: "discord_error",
      message: expect.stringContaining("makes no sense"),
    });
  });

  test("is none of them with what they lack", async () => {
    await using site = await startRestSite();
    const answer = async (read: Read, body: unknown) => {
      site.simulator.faults.rest({ method: "GET", respond: 200, body });
      return await read(site.reader);
    };
    await answer((r) => r.message(channels.general, "1", signal), { ...message, ...lists });
    await answer((r) => r.member(guildId, users.ben, signal), memberWith({}));
    await answer((r) => r.channel(channels.general, signal), channelWith([]));
  });

  test("to a change leaves it unknown what has become of it", async () => {
    await using site = await startRestSite();
    site.simulator.faults.rest({ method: "POST", respond: 200, body: [] });
    const sent = site.writer.createMessage(channels.general, { content: "Ahoy" }, plainly);
    expect((await failure(sent)).code).toBe("outcome_unknown");
  });
});
