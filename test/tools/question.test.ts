import { describe, expect, test } from "bun:test";
import { allTools } from "../../src/tools/all.ts";
import { quoted } from "../../src/tools/authority.ts";
import { excerpt, saying } from "../../src/tools/question.ts";
import { DEMO, startWorld } from "./world.ts";

const { channels, users, roles, guildId } = DEMO;

describe("words in a question", () => {
  test("are one short line that says how much more there is", () => {
    expect(excerpt("Tea\n\nat  four\u202e?")).toBe("“Tea at four ?”");
    expect(excerpt("x".repeat(120))).toBe(`“${"x".repeat(120)}”`);
    expect(excerpt("x".repeat(2000))).toBe(`“${"x".repeat(120)}…” (and 1880 more characters)`);
    expect(excerpt("x".repeat(101), 100)).toBe(`“${"x".repeat(100)}…” (and 1 more character)`);
    expect(excerpt(`${"x".repeat(119)}😀😀`)).toBe(`“${"x".repeat(119)}\ufffd…” (and 3 more characters)`);
  });

  test("do not end their quotes, to go on as the question", () => {
    expect(excerpt("Tea” in #tea? Not “coffee")).toBe('“Tea" in #tea? Not "coffee”');
    expect(quoted('Guest" and nothing else of "Crew')).toBe("\"Guest' and nothing else of 'Crew\"");
  });

  test("that are to be said are shown further than those of others", () => {
    expect(saying("x".repeat(2000))).toBe(`“${"x".repeat(400)}…” (and 1600 more characters)`);
  });
});

test("a question shows where a text goes on, before anybody says yes to it", async () => {
  await using world = await startWorld({ tools: allTools, policy: { writes: "ask" } });
  const content = `Tea at four.${" ".repeat(20)}${"x".repeat(500)} The vault opens with 1234.`;
  const there = { channel_id: channels.help, content };
  const { id } = world.simulator.say({ userId: users.ben, channelId: channels.help, content: "Tea?" });
  const posted = await world.done("discord_message_send", { content: "Later" }, { as: users.owner });
  const message_id = String(Object(posted).message_id);
  const asked = [
    await world.question("discord_message_send", there),
    await world.question("discord_message_reply", { ...there, message_id: id }),
    await world.question("discord_message_edit", { message_id, content }),
    await world.question("discord_user_message", { content }),
    await world.question("discord_forum_post_create", { channel_id: channels.forum, title: "Tea", content }),
  ];
  for (const text of asked) expect(text).toMatch(/x…” \(and \d+ more characters\)/);
});

test("a question tells people and roles of the same name apart by their ids", async () => {
  await using world = await startWorld({ tools: allTools, policy: { directMessages: "members" } });
  const ask = (tool: string, input: object) => world.question(tool, input, { as: users.owner });
  world.simulator.changes.guilds.updateRole(guildId, roles.bot, { position: 9 });
  const ben = `@Benny (${users.ben})`;
  const crew = `the role "Crew" (${roles.crew})`;
  const member = { user_id: users.ben };
  const role = { role_id: roles.crew };
  const inThread = { channel_id: channels.thread, ...member };
  const inHelp = { channel_id: channels.help, allow: ["View Channel"] };
  await using asking = await startWorld({
    tools: allTools,
    policy: { writes: "ask", directMessages: "members" },
  });
  expect(await asking.question("discord_thread_member_add", inThread)).toContain(ben);
  expect(await ask("discord_thread_member_remove", inThread)).toContain(ben);
  expect(await asking.question("discord_user_message", { ...member, content: "Hi" })).toContain(ben);
  expect(await ask("discord_channel_overwrite_set", { ...inHelp, ...member })).toContain(ben);
  expect(await ask("discord_channel_overwrite_set", { ...inHelp, ...role })).toContain(crew);
  expect(await ask("discord_role_give", { ...member, ...role })).toContain(crew);
  expect(await ask("discord_role_take", { ...member, ...role })).toContain(crew);
  expect(await ask("discord_role_edit", { ...role, name: "Sailors" })).toContain(crew);
});
