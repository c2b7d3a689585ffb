import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import { text, toolUse } from "../../src/simulator/claude/reply.ts";
import type { Client } from "./client.ts";
import { eventOf, place, Service } from "./service.ts";
import { channels, guildId, roles, users } from "./surroundings.ts";

setDefaultTimeout(20_000);

/*
 * A moderator asks through a program what was said among the staff, and while the model answers they lose what it rests
 * on, or the server.
 */

const secret = "Keys to the boathouse are with Olive.";
const mika = { ...place, user_id: users.moderator };
const reading = { tool_name: "discord_message_history", arguments: { channel_id: channels.staff } };

let service: Service;
afterEach(() => expect(service.contract.violations).toEqual([]));

const hasResult = ({ messages }: MessageCreateParams): boolean =>
  JSON.stringify(messages.at(-1)).includes("tool_result");

/** A turn in which the model has read the channel, and answers when it is told to. */
async function asked() {
  const begun = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  service = await Service.start({
    env: { TOOLS: "all" },
    claude: {
      async brain(request) {
        if (!hasResult(request)) return { blocks: [toolUse(reading.tool_name, reading.arguments)] };
        begun.resolve();
        await answer.promise;
        return { blocks: [text(secret)] };
      },
    },
  });
  service.discord.say({ channelId: channels.staff, userId: users.moderator, content: secret });
  const client = await service.connect();
  const { data } = await client.request("initialize", mika);
  const session_id = String(data.session_id);
  const reply = client.request("process", { session_id, message: "Where are the keys?" });
  await begun.promise;
  expect(JSON.stringify(service.claude.requests.at(-1)?.body)).toContain(secret);
  return { client, session_id, reply, goOn: answer.resolve };
}

/** Calls until it is refused: what has changed is then known. */
async function refused(client: Client, session_id: string): Promise<unknown> {
  for (;;) {
    const { type, data } = await client.request("tool_call", { session_id, ...reading });
    if (type === "error") return data.code;
  }
}

test("who may not read a channel any more does not hear what an answer took from it", async () => {
  const { client, session_id, reply, goOn } = await asked();
  service.discord.changes.members.removeRole(guildId, users.moderator, roles.moderator);
  expect(await refused(client, session_id)).toBe("not_found");
  goOn();
  const { error, data } = await reply;
  expect(data).toMatchObject({ code: "permission_denied", turn_id: expect.any(String) });
  expect(error).toContain("is withheld");
  expect(eventOf(await client.waitForEvent("turn_finished"))).toMatchObject({
    withheld: true,
    response: expect.stringContaining("is withheld"),
  });
  expect(JSON.stringify(client.events)).not.toContain(secret);

  // Nor by coming back for it.
  await using again = await service.connect();
  const { data: welcome } = await again.request("initialize", { ...mika, session_id, last_seq: 0 });
  await again.waitForEvent("turn_finished");
  expect(JSON.stringify([welcome, again.events])).not.toContain(secret);
  await client[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

test("who has left the server hears and does nothing more there, by a session that is open", async () => {
  const { client, session_id, reply, goOn } = await asked();
  service.discord.changes.members.remove(guildId, users.moderator);
  expect(await refused(client, session_id)).toBe("not_found");
  goOn();
  expect((await reply).data.code).toBe("not_found");
  expect(eventOf(await client.waitForEvent("following_ended"))).toMatchObject({ code: "not_found" });
  expect(JSON.stringify(client.events)).not.toContain(secret);
  for (const [type, more] of [
    ["process", { message: "And now?" }],
    ["context_update", {}],
    ["approve", { approval_id: "a_none", approved: true }],
    ["initialize", mika],
  ] as const) {
    const { data } = await client.request(type, { session_id, ...more });
    expect([type, data.code]).toEqual([type, "not_found"]);
  }
  const headers = { Authorization: `Bearer ${service.operatorToken}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ session_id, ...reading });
  const response = await fetch(`${service.url}/mcp/tool_call`, { method: "POST", headers, body });
  expect(response.status).toBe(404);
  await client[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});
