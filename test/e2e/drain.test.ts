import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { toolUse } from "../../src/simulator/claude/reply.ts";
import { binary } from "./binary.ts";
import { Site, until } from "./site.ts";
import { channels, mention, users, words } from "./surroundings.ts";

setDefaultTimeout(60_000);
beforeAll(() => void binary());

const contents = (site: Site): readonly string[] => site.posted().map(({ content }) => content);

/** Asks it to go, and resolves once it takes no more work. */
async function stop(site: Site): Promise<void> {
  site.running.kill("SIGTERM");
  await site.running.waitFor(/stopping; running turns may finish/);
}

describe("SIGTERM", () => {
  test("during a turn: the answer arrives, exit code 0; the next process resumes and answers what was said meanwhile", async () => {
    await using site = await Site.open();
    const release = site.claude.hold();
    site.claude.script([toolUse("discord_channel_info", {})], "A channel.");
    const running = site.say(`${mention} where am I?`);
    await site.untilAsked(1);
    const waiting = site.say(`${mention} and who am I?`);
    await stop(site);
    const during = site.say(`${mention} said while it drains`, { userId: users.ben });
    release();
    expect((await site.replyTo(running)).content).toBe("A channel.");
    expect(await site.running.exited).toBe(0);
    expect(site.running.output).not.toMatch(/\n\s+at /);
    expect(site.asked).toHaveLength(2);
    const after = site.say(`${mention} said while it is gone`, { userId: users.moderator });

    const answers = ["You are Ana.", "To Ben.", "To Mika."];
    const told = (asked: unknown) => {
      const text = JSON.stringify(asked);
      if (text.includes("while it drains")) return "To Ben.";
      return text.includes("while it is gone") ? "To Mika." : "You are Ana.";
    };
    site.claude.script(
      ...answers.map(
        () =>
          ({ messages }: { messages: unknown[] }) =>
            told(messages.at(-1)),
      ),
    );
    await site.resume();
    const replies = await Promise.all([waiting, during, after].map((message) => site.replyTo(message)));
    expect(replies.map(({ content }) => content)).toEqual(answers);
    const identified = site.discord.gatewayNotes.filter(({ kind }) => kind === "identify");
    expect(identified).toHaveLength(1);
    const anas = site.asked.find((asked) => JSON.stringify(asked.messages.at(-1)).includes("who am I"));
    expect(words(anas ?? { system: [], messages: [] })).toContain("A channel.");
    site.claude.script("Last.");
    expect(await site.ask(`${mention} last`)).toBe("Last.");
    expect(contents(site).toSorted()).toEqual(["A channel.", ...answers, "Last."].toSorted());
  });

  test("while nothing runs: gone at once, and says so to whoever asks for readiness", async () => {
    await using site = await Site.open();
    const ready = (await site.get("/health/ready")) as { status: string };
    expect(ready.status).toBe("ready");
    site.running.kill("SIGTERM");
    expect(await site.running.exited).toBe(0);
    const closed = site.discord.gatewayNotes.filter(({ kind }) => kind === "closed").map(({ code }) => code);
    expect(closed).toEqual([4200]);
  });

  test("a second one hurries: exit code 0, and the next process answers", async () => {
    await using site = await Site.open();
    const release = site.claude.hold();
    const running = site.say(`${mention} the tide?`);
    await site.untilAsked(1);
    await stop(site);
    const ready = (await site.get("/health/ready")) as { status: string };
    expect(ready.status).toBe("not_ready");
    site.running.kill("SIGTERM");
    expect(await site.running.exited).toBe(0);
    expect(await site.claude.requests[0]?.ended).toBe("aborted");
    expect(contents(site)).toEqual([]);
    release();
    site.claude.script("At six.");
    await site.resume();
    expect((await site.replyTo(running)).content).toBe("At six.");
    expect(contents(site)).toEqual(["At six."]);
  });

  test("a turn that does not end within the bound is left to the next process", async () => {
    await using site = await Site.open({ env: { DRAIN_SECONDS: "1" } });
    const release = site.claude.hold();
    const running = site.say(`${mention} the tide?`);
    await site.untilAsked(1);
    const began = performance.now();
    await stop(site);
    expect(await site.running.exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(6000);
    release();
    site.claude.script("At six.");
    await site.resume();
    expect((await site.replyTo(running)).content).toBe("At six.");
    expect(contents(site)).toEqual(["At six."]);
  });

  test("while the answer is being posted: waits for Discord, and posts it once", async () => {
    await using site = await Site.open();
    const path = new RegExp(`^/channels/${channels.general}/messages$`);
    const slow = site.discord.faults.rest({ method: "POST", path, respond: "hold" });
    site.claude.script("At six.", "Still here.");
    const question = site.say(`${mention} the tide?`);
    await until("the post", () => slow.hits === 1);
    await stop(site);
    slow.release();
    expect(await site.running.exited).toBe(0);
    expect((await site.replyTo(question)).content).toBe("At six.");
    await site.resume();
    expect(await site.ask(`${mention} there?`)).toBe("Still here.");
    expect(contents(site)).toEqual(["At six.", "Still here."]);
    expect(site.postings).toBe(2);
  });

  test("before it is connected to Discord", async () => {
    await using site = await Site.listening({ discord: { sessionStartLimit: limit(0) } });
    await until("the service that waits", () => site.running.output.includes("backing off"));
    site.running.kill("SIGTERM");
    expect(await site.running.exited).toBe(0);
    expect(site.running.output).toContain("daily limit of identifies is used up");
  });
});

function limit(remaining: number) {
  return { total: 1000, remaining, resetAfter: 3_600_000, maxConcurrency: 1 };
}
