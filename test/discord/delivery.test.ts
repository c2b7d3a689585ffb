import { describe, expect, test } from "bun:test";
import { postNonce } from "../../src/discord/posts/nonce.ts";
import { planPosts } from "../../src/discord/posts/posts.ts";
import { channels, gate, mention, Rig, users } from "./harness.ts";

const posting = /^\/channels\/\d+\/messages$/;
const posts = (rig: Rig, channelId: string = channels.general) =>
  rig.sim.requests.filter(
    ({ method, path }) => method === "POST" && path === `/channels/${channelId}/messages`,
  );

describe("posting", () => {
  test("a long answer comes in order, only its first message is the reply and pings", async () => {
    const answer = Array.from({ length: 300 }, (_, at) => `Line ${at} of the answer.`).join("\n");
    await using rig = await Rig.start({ answer: () => answer });
    const question = rig.say(`${mention} tell me all`);
    await rig.sim.waitForMessage((one) => one.content.endsWith("Line 299 of the answer."));
    expect(rig.said().join("\n")).toBe(answer);
    expect(rig.said().length).toBeGreaterThan(2);
    const [first, ...others] = rig.sim.world.messages
      .in(channels.general)
      .filter((one) => rig.said().includes(one.content));
    expect(first?.message_reference?.message_id).toBe(question.id);
    for (const other of others) expect([other.message_reference, other.mentions]).toEqual([undefined, []]);
  });

  test("what is erased while it waits behind another post is not posted", async () => {
    const answer = () => Array.from({ length: 300 }, (_, at) => `Line ${at} of the answer.`).join("\n");
    await using rig = await Rig.start({ answer });
    const held = rig.sim.faults.rest({ method: "POST", path: posting, respond: "hold" });
    const ended = rig.ended();
    rig.say(`${mention} tell me all`);
    await ended;
    while (held.hits === 0) await new Promise((resolve) => setImmediate(resolve));
    await rig.memory.eraser.erase({ kind: "user", id: users.ana });
    held.release();
    await rig.sim.waitForMessage((one) => one.content.startsWith("Line 0 of the answer."));
    await rig.outboxEmpty();
    const next = rig.say(`${mention} hello`, { userId: users.ben });
    await rig.replyTo(next.id);
    expect(rig.said().filter((content) => content.startsWith("Line 0 of"))).toHaveLength(2);
    expect(rig.said()[1]).toStartWith("Line 0 of the answer.");
  });

  test("mentions in an answer ping nobody", async () => {
    await using rig = await Rig.start({ answer: () => `<@${users.ben}> @everyone <@${users.ana}>` });
    const question = rig.say(`${mention} ping them`);
    const reply = await rig.replyTo(question.id);
    expect(reply.mentions.map((user) => user.id)).toEqual([users.ana]);
    expect(reply.mention_everyone).toBe(false);
  });

  test("each has its nonce, enforced", async () => {
    await using rig = await Rig.start();
    const question = rig.say(`${mention} hello`);
    const turn = await rig.ended();
    await rig.replyTo(question.id);
    const nonce = postNonce("answer", turn.id, 0, 0);
    expect(nonce).toMatch(/^[\w-]{22}$/);
    expect(posts(rig)[0]?.body).toMatchObject({ nonce, enforce_nonce: true });
  });

  test("a question that is deleted meanwhile is answered without a reference", async () => {
    const door = gate();
    await using rig = await Rig.start({ answer: () => door.opened.then(() => "late answer") });
    const question = rig.say(`${mention} slow`);
    await rig.sim.waitForTyping(channels.general);
    rig.sim.remove(question.id);
    door.open();
    const answer = await rig.sim.waitForBotMessage({ channelId: channels.general });
    expect(answer.content).toBe("late answer");
  });

  test("a rate limit is waited for", async () => {
    await using rig = await Rig.start();
    const fault = rig.sim.faults.rest({
      method: "POST",
      path: posting,
      respond: 429,
      headers: { "retry-after": "0.1" },
    });
    const question = rig.say(`${mention} hello`);
    await rig.replyTo(question.id);
    expect(fault.hits).toBe(1);
    expect(rig.said()).toEqual(["You said: hello"]);
  });

  test("what Discord will never take fails for good, and what comes after it is posted", async () => {
    await using rig = await Rig.start();
    rig.sim.faults.rest({
      method: "POST",
      path: posting,
      respond: 403,
      body: { message: "Missing Permissions", code: 50013 },
    });
    rig.say(`${mention} first`);
    const second = rig.say(`${mention} second`);
    await rig.replyTo(second.id);
    expect(rig.said()).toEqual(["You said: second"]);
    await rig.outboxEmpty();
    expect(await rig.metrics.text()).toContain('mcp_discord_failures_total{operation="post_refused"} 1');
  });

  test("one channel that is stuck holds up no other", async () => {
    await using rig = await Rig.start();
    const stuck = rig.sim.faults.rest({
      method: "POST",
      path: new RegExp(`${channels.general}/messages$`),
      respond: "hold",
    });
    rig.say(`${mention} stuck`);
    const other = rig.say(`${mention} free`, { channelId: channels.help });
    expect((await rig.replyTo(other.id)).content).toBe("You said: free");
    expect(rig.said()).toEqual([]);
    stuck.release();
    await rig.sim.waitForBotMessage({ channelId: channels.general });
  });
});

describe("posts of unknown fate", () => {
  for (const respond of [500, 502, "reset", "half"] as const) {
    test(`arrived, but answered with ${respond}: not posted twice`, async () => {
      await using rig = await Rig.start({ timing: { lookAfterMs: 60_000 } });
      rig.sim.faults.rest({ method: "POST", path: posting, respond, afterEffect: true });
      rig.say(`${mention} first`);
      const second = rig.say(`${mention} second`);
      // The gateway shows the first, so that the second need not wait for a look.
      await rig.replyTo(second.id);
      expect(rig.said()).toEqual(["You said: first", "You said: second"]);
    });
  }

  test("not arrived: looked for after a while, not found, and sent again", async () => {
    await using rig = await Rig.start({ timing: { lookAfterMs: 50 } });
    rig.sim.faults.rest({ method: "POST", path: posting, respond: 500 });
    const question = rig.say(`${mention} hello`);
    await rig.replyTo(question.id);
    expect(rig.said()).toEqual(["You said: hello"]);
    const looked = rig.sim.requests.filter(({ method, path }) => method === "GET" && posting.test(path));
    expect(looked.length).toBeGreaterThan(0);
  });

  test("may still arrive for a while: the next process looks for it, and does not send it again before", async () => {
    let time = Date.now();
    const now = () => time;
    await using rig = await Rig.start({
      now,
      simulator: { now },
      timing: { lookAfterMs: 60_000, closeMs: 50 },
    });
    const lost = rig.sim.faults.rest({ method: "POST", path: posting, respond: 500 });
    const question = rig.say(`${mention} hello`);
    while (lost.hits === 0) await rig.sim.waitForRequest(({ path }) => posting.test(path));
    const looks = () =>
      rig.sim.requests.filter(({ method, path }) => method === "GET" && posting.test(path)).length;
    await rig.end();
    const before = looks();
    rig.reopen();
    await rig.begin();
    while (looks() === before)
      await rig.sim.waitForRequest(({ method, path }) => method === "GET" && posting.test(path));
    await rig.replyTo(rig.say(`${mention} elsewhere`, { userId: users.ben, channelId: channels.help }).id);
    expect(posts(rig)).toHaveLength(1);
    time += 61_000;
    await rig.restart();
    expect((await rig.replyTo(question.id)).content).toBe("You said: hello");
    expect(posts(rig)).toHaveLength(2);
  });

  test("left by a process that ended while it was being sent: found by the next one, without a nonce", async () => {
    let time = Date.now();
    const now = () => time;
    const door = gate();
    const answer = () => door.opened.then(() => "You said: hello");
    await using rig = await Rig.start({ now, answer, simulator: { now }, timing: { closeMs: 50 } });
    rig.sim.faults.rest({ method: "POST", path: posting, respond: "timeout", afterEffect: true });
    const question = rig.say(`${mention} hello`);
    await rig.sim.waitForTyping(channels.general);
    // Neither this process nor the next one sees the post by the gateway.
    const release = rig.sim.faults.gateway.holdDispatches();
    door.open();
    await rig.replyTo(question.id);
    await rig.end();
    rig.sim.faults.gateway.forgetSessions();
    release();
    // Past the nonces' two minutes and the minute of rest.
    time += 5 * 60_000;
    rig.reopen();
    expect((await rig.memory.outbox.open(10)).map((post) => post.state)).toEqual(["sending"]);
    await rig.begin("started");
    await rig.outboxEmpty();
    expect(rig.said()).toEqual(["You said: hello"]);
    expect(posts(rig)).toHaveLength(1);
  });

  test("an answer that a process before did not post is posted at the start", async () => {
    await using rig = await Rig.start({ timing: { closeMs: 20 } });
    await rig.discord.close({ resumable: true });
    const session = await rig.sessions.chatSession(users.ana, channels.general, null);
    const question = rig.say("said while nobody listens");
    const ended = rig.ended();
    await rig.turns.submit({
      sessionId: session.id,
      actor: { kind: "user", userId: users.ana, guildId: null, channelId: channels.general },
      origin: "discord",
      text: "hello",
      preamble: "",
      discordMessageId: question.id,
      idempotencyKey: null,
      replyTo: { channelId: channels.general, messageId: question.id },
    });
    await ended;
    expect(rig.said()).toEqual([]);
    await rig.restart();
    expect((await rig.replyTo(question.id)).content).toBe("You said: hello");
  });
});

describe("planning", () => {
  const speech = {
    purpose: "answer",
    subject: "t",
    channelId: "1",
    replyToMessageId: "2",
    userId: "3",
  } as const;

  test("nonces differ by purpose, subject and ordinal, and are the same in every process", () => {
    expect(postNonce("answer", "t", 0, 0)).toBe(postNonce("answer", "t", 0, 0));
    const all = [
      postNonce("answer", "t", 0, 0),
      postNonce("notice", "t", 0, 0),
      postNonce("answer", "u", 0, 0),
      postNonce("answer", "t", 0, 1),
    ];
    expect(new Set(all).size).toBe(4);
  });

  test("a blank answer is said to be one, and an endless one is cut with a note", () => {
    expect(planPosts({ ...speech, text: " \n" }).map((post) => post.content)).toEqual([
      "(The answer is empty.)",
    ]);
    const endless = planPosts({ ...speech, text: "word ".repeat(20_000) });
    expect(endless).toHaveLength(20);
    expect(endless.at(-1)?.content).toContain("too long for Discord");
    for (const post of endless) expect(post.content.length).toBeLessThanOrEqual(2000);
  });
});
