import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { toolUse } from "../../src/simulator/claude/reply.ts";
import { binary } from "./binary.ts";
import { Site, until } from "./site.ts";
import { channels, mention, newest, results, users, words } from "./surroundings.ts";

setDefaultTimeout(60_000);
beforeAll(() => void binary());

const posting = { method: "POST", path: new RegExp(`^/channels/${channels.general}/messages$`) };
const contents = (site: Site): readonly string[] => site.posted().map(({ content }) => content);

/** The next question, which brings to light what would be said twice, and whether what was before is remembered. */
async function remembers(site: Site, ...before: readonly string[]): Promise<void> {
  site.claude.script("I remember.");
  expect(await site.ask(`${mention} what was it?`)).toBe("I remember.");
  const asked = site.asked.at(-1);
  for (const words_ of before) expect(asked === undefined ? "" : words(asked)).toContain(words_);
  expect(site.claude.scripted).toBe(0);
}

describe("SIGKILL", () => {
  test("while the model is asked: the next process asks again, and answers once", async () => {
    await using site = await Site.open();
    const release = site.claude.hold();
    const question = site.say(`${mention} the tide?`);
    const others = [
      site.say(`${mention} the wind?`),
      site.say(`${mention} the moon?`, { userId: users.ben }),
    ];
    await site.untilAsked(2);
    await site.kill();
    for (const request of site.claude.requests) expect(await request.ended).toBe("aborted");
    release();
    const answers = { tide: "At six.", wind: "From the west.", moon: "It is full." };
    const answer = (asked: unknown) =>
      Object.entries(answers).find(([word]) => JSON.stringify(asked).includes(`the ${word}?`))?.[1] ?? "?";
    // Two people at once, so which comes first is open; the wind waits for the tide and has it in its history.
    const latest = ({ messages }: { messages: readonly unknown[] }) => answer(messages.at(-1));
    site.claude.script(latest, latest, latest);
    await site.resume();
    const replies = await Promise.all([question, ...others].map((message) => site.replyTo(message)));
    expect(replies.map(({ content }) => content)).toEqual(Object.values(answers));
    await remembers(site, "the tide?", "At six.", "the wind?", "From the west.");
    expect(site.asked).toHaveLength(2 + 3 + 1);
    expect(contents(site).toSorted()).toEqual([...Object.values(answers), "I remember."].toSorted());
  });

  test("while a tool reads: the tool runs again, the model is not asked again for the stored step", async () => {
    await using site = await Site.open();
    const hanging = site.discord.faults.rest({ method: "GET", path: posting.path, respond: "timeout" });
    site.claude.script([toolUse("discord_message_history", { limit: 2 })], "It was said.");
    const question = site.say(`${mention} what was said?`);
    await until("the tool's request", () => hanging.hits === 1);
    await site.kill();
    expect(site.asked).toHaveLength(1);
    await site.begin();
    expect((await site.replyTo(question)).content).toBe("It was said.");
    const [, second] = site.asked;
    expect(results(second)[0]?.content).toContain("what was said?");
    await remembers(site, "what was said?", "It was said.");
    expect(site.asked).toHaveLength(3);
    expect(contents(site)).toEqual(["It was said.", "I remember."]);
  });

  test("while the answer is posted, and it never arrived: posted by the next process", async () => {
    await using site = await Site.open();
    const lost = site.discord.faults.rest({ ...posting, respond: "timeout" });
    site.claude.script("At six.");
    const question = site.say(`${mention} the tide?`);
    await until("the post", () => lost.hits === 1);
    await site.kill();
    // It must be certain that Discord is not still at it.
    site.agePosts(61_000);
    await site.begin();
    expect((await site.replyTo(question)).content).toBe("At six.");
    await remembers(site, "At six.");
    expect(contents(site)).toEqual(["At six.", "I remember."]);
    expect(site.asked).toHaveLength(2);
  });

  test("while the answer is posted, and it arrived: not posted again, and the next answer does not wait", async () => {
    await using site = await Site.open();
    site.discord.faults.rest({ ...posting, respond: "timeout", afterEffect: true });
    site.claude.script("At six.");
    const question = site.say(`${mention} the tide?`);
    await site.replyTo(question);
    // The gateway showed it to the process that ends now, and will not show it again.
    using database = site.database();
    const stored = database.query<{ sequence: number }, []>("SELECT sequence FROM gateway_sessions");
    await until("READY, the guild, the question, the post", () => (stored.get()?.sequence ?? 0) >= 4);
    await site.kill();
    await site.begin();
    await remembers(site, "At six.");
    expect(contents(site)).toEqual(["At six.", "I remember."]);
    expect(site.postings).toBe(2);
    expect(site.asked).toHaveLength(2);
  });

  test("while the answer is posted, and it arrives only after the next process began: not posted again", async () => {
    await using site = await Site.open();
    const late = site.discord.faults.rest({ ...posting, respond: "hold" });
    site.claude.script("At six.");
    const question = site.say(`${mention} the tide?`);
    await until("the post", () => late.hits === 1);
    await site.kill();
    await site.resume();
    expect(contents(site)).toEqual([]);
    late.release();
    expect((await site.replyTo(question)).content).toBe("At six.");
    await remembers(site, "At six.");
    expect(contents(site)).toEqual(["At six.", "I remember."]);
    expect(site.postings).toBe(2);
  });

  test("in the middle of a long answer: its parts come once each, in order", async () => {
    await using site = await Site.open();
    const lines = Array.from({ length: 300 }, (_, at) => `Line ${at} of the answer.`);
    site.claude.script(lines.join("\n"));
    const second = Promise.withResolvers<void>();
    site.discord.onExchange(({ method, path }) => {
      if (method !== "POST" || !posting.path.test(path) || site.postings > 1) return;
      const lost = site.discord.faults.rest({ ...posting, respond: "timeout" });
      void until("the second part", () => lost.hits === 1).then(second.resolve);
    });
    site.say(`${mention} all of it`);
    await second.promise;
    await site.kill();
    expect(contents(site)).toHaveLength(1);
    site.agePosts(61_000);
    await site.begin();
    await site.discord.waitForMessage(({ content }) => content.endsWith("Line 299 of the answer."), {
      timeoutMs: 20_000,
    });
    expect(contents(site).join("\n").split("\n")).toEqual(lines);
    expect(site.asked).toHaveLength(1);
  });

  test("between two messages: the second, said to nobody, is answered once, with the first in mind", async () => {
    await using site = await Site.open();
    site.claude.script("Noted.", "Twelve.", "Ben's answer.");
    await site.ask(`${mention} my berth is twelve`);
    await site.kill();
    const missed = site.say(`${mention} which is mine?`);
    site.say("Talk among people.", { userId: users.ben });
    const direct = site.discord.openDirectMessage(users.ben);
    await site.resume();
    expect((await site.replyTo(missed)).content).toBe("Twelve.");
    expect(words(site.asked[1] ?? { system: [], messages: [] })).toContain("twelve");
    expect(await site.ask("and I?", { userId: users.ben, channelId: direct })).toBe("Ben's answer.");
    await remembers(site, "which is mine?");
    expect(contents(site)).toEqual(["Noted.", "Twelve.", "I remember."]);
  });

  test("between two messages, and Discord has forgotten the session: read from the channel", async () => {
    await using site = await Site.open();
    site.claude.script("Noted.", "Twelve.", "In private.");
    const direct = site.discord.openDirectMessage(users.ben);
    await site.ask(`${mention} my berth is twelve`);
    using database = site.database();
    await until(
      "the mark",
      () =>
        database
          .query("SELECT 1 FROM channel_marks WHERE channel_id = ? AND message_id >= ?")
          .get(channels.general, site.posted()[0]?.id ?? "") !== null,
    );
    await site.kill();
    site.discord.faults.gateway.forgetSessions();
    const missed = site.say(`${mention} which is mine?`);
    await site.begin();
    expect((await site.replyTo(missed)).content).toBe("Twelve.");
    expect(await site.ask("psst", { userId: users.ben, channelId: direct })).toBe("In private.");
    await remembers(site, "which is mine?");
    expect(contents(site)).toEqual(["Noted.", "Twelve.", "I remember."]);
  });

  test("again and again in the same turn: after three resumes it is answered and given up", async () => {
    await using site = await Site.open();
    const release = site.claude.hold();
    const question = site.say(`${mention} the tide?`);
    for (const times of [1, 2, 3, 4]) {
      await site.untilAsked(times);
      await site.kill();
      await site.begin();
    }
    expect((await site.replyTo(question)).content).toBe(
      "I was interrupted too often while I worked on this. Please ask again.",
    );
    release();
    site.claude.script("At six.");
    expect(await site.ask(`${mention} the tide, then?`)).toBe("At six.");
    expect(newest(site.asked.at(-1))).toContain("the tide, then?");
    expect(site.asked).toHaveLength(5);
    expect(site.posted()).toHaveLength(2);
  });
});
