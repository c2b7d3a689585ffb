import { expect, test } from "bun:test";
import type { PersonalData } from "../../src/discord/chat/personal-commands.ts";
import { snowflakeAt } from "../../src/snowflake.ts";
import { channels, guildId, mention, Rig, users } from "./harness.ts";

/** What is asked of it, and a document that it gives. */
function recorded(document: string | null = '{"records":[]}') {
  const asked: string[] = [];
  const personal: PersonalData = {
    forget: async (userId, { id, isDirect }) => void asked.push(`forget ${userId} ${id} ${isDirect}`),
    export: async (userId) => {
      asked.push(`export ${userId}`);
      return document;
    },
  };
  return { asked, personal };
}

const uploads = (rig: Rig) =>
  rig.sim.requests.flatMap(({ path, body }) =>
    typeof body === "object" && body !== null && "files" in body ? [{ path, body }] : [],
  );

async function answer(rig: Rig, content: string, more: Parameters<Rig["say"]>[1] = {}): Promise<string> {
  return (await rig.replyTo(rig.say(content, more).id)).content;
}

test("!forget says what it would do, and does nothing before it is confirmed", async () => {
  const { asked, personal } = recorded();
  await using rig = await Rig.start({ personal });
  expect(await answer(rig, "!forget yes")).toBe("Write `!forget` first: I then say what would be deleted.");
  expect(await answer(rig, "!forget")).toContain("Write `!forget yes` within 10 minutes");
  // Somebody else's yes is not hers.
  expect(await answer(rig, "!forget yes", { userId: users.ben })).toStartWith("Write `!forget` first");
  expect(asked).toEqual([]);
  const yes = rig.say(`${mention} !Forget   YES`);
  await rig.handled(yes);
  expect(asked).toEqual([`forget ${users.ana} ${yes.id} false`]);
  // No session was made for any of that: it would be stored.
  expect(await rig.memory.sessions.countActive(Date.now())).toBe(0);
  expect(await answer(rig, "!forget yes")).toStartWith("Write `!forget` first");
  // Looking through everything is work: not as often as somebody likes.
  expect(await answer(rig, "!forget")).toContain("ask again in 10 min");
});

test("a confirmation comes too late after ten minutes", async () => {
  const { asked, personal } = recorded();
  let now = Date.now();
  await using rig = await Rig.start({ personal, now: () => now });
  await answer(rig, "!forget");
  now += 10 * 60_000 + 1;
  expect(await answer(rig, "!forget yes")).toStartWith("Write `!forget` first");
  expect(asked).toEqual([]);
});

test("!export comes as a file in the direct channel and nowhere else, once in ten minutes", async () => {
  const { asked, personal } = recorded('{"records":["ü"]}');
  await using rig = await Rig.start({ personal });
  expect(await answer(rig, "!export")).toContain("in a direct message");
  const direct = rig.sim.openDirectMessage(users.ana);
  expect(uploads(rig)).toMatchObject([
    {
      path: `/channels/${direct}/messages`,
      body: {
        files: [
          {
            filename: "export.json",
            content_type: expect.stringContaining("application/json"),
            text: '{"records":["ü"]}',
          },
        ],
      },
    },
  ]);
  expect(rig.said(direct)).toEqual(["Everything that I keep about you."]);
  expect(await answer(rig, "!export")).toContain("ask again in 10 min");
  expect(asked).toEqual([`export ${users.ana}`]);
});

test("!export puts it nowhere else when direct messages are closed, and can be asked for again", async () => {
  const { asked, personal } = recorded();
  await using rig = await Rig.start({ personal });
  const closed = rig.sim.faults.rest({
    method: "POST",
    path: /^\/users\/@me\/channels$/,
    respond: 403,
    body: { message: "Cannot send messages to this user", code: 50007 },
  });
  expect(await answer(rig, "!export")).toContain("Allow direct messages");
  expect(closed.hits).toBe(1);
  expect(uploads(rig)).toEqual([]);
  expect(await answer(rig, "!export")).toContain("in a direct message");
  expect(asked).toHaveLength(2);
});

test("!export says how to get what is too large", async () => {
  await using rig = await Rig.start({ personal: recorded(null).personal });
  expect(await answer(rig, "!export")).toContain("discord-mcp export");
  expect(uploads(rig)).toEqual([]);
});

test("a last word is said at once, and nothing of it is stored", async () => {
  await using rig = await Rig.start();
  const message = rig.say("not for us");
  await rig.discord.reply({ channelId: channels.general, messageId: message.id }, "Gone.");
  const told = await rig.replyTo(message.id);
  expect(told).toMatchObject({ content: "Gone.", mentions: [] });
  expect(await rig.memory.outbox.isOurs(told.id)).toBe(false);
});

test("what somebody wrote before they asked to be forgotten, and what comes only now, is passed over", async () => {
  await using rig = await Rig.start({ now: () => Date.now() + 60_000 });
  const later = snowflakeAt(Date.now() + 60_000);
  const wish = { id: later, channelId: channels.general, isDirect: false };
  await rig.memory.erasures.requestByMessage(users.ana, wish);
  const held = rig.say(`${mention} are you there?`);
  await rig.handled(held);
  expect(await rig.memory.seen.has(held.id)).toBe(false);
  expect(await rig.memory.sessions.countActive(Date.now())).toBe(0);
  expect(await answer(rig, `${mention} and I?`, { userId: users.ben })).not.toBe("");
});

test("a new session lists the guilds that there are, and says which could be missing from it", async () => {
  await using rig = await Rig.start();
  expect(rig.listedGuilds).toEqual([{ guildIds: [guildId], isOfShard: true }]);
  while (rig.presentGuilds.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(rig.presentGuilds).toEqual([guildId]);
});
