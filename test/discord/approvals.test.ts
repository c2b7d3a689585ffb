import { describe, expect, test } from "bun:test";
import { postNonce } from "../../src/discord/posts/nonce.ts";
import { askedIn, buttons, decidedMessage, edits, press, question, startAsking, whisper } from "./asking.ts";
import { channels, gate, guildId, mention, type Rig, users } from "./harness.ts";

const secret = { ...question, publicText: "Ban somebody." };

describe("a question", () => {
  test("is a reply with two buttons, which pings the asker alone and shows others' words as they are", async () => {
    const { rig, contract } = await startAsking();
    await using _ = rig;
    const asked = rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    expect(message.message_reference?.message_id).toBe(asked.id);
    expect(message.mentions.map(({ id }) => id)).toEqual([users.ana]);
    expect(message.mention_everyone).toBe(false);
    expect(buttons(message).map(({ label }) => label)).toEqual(["Approve", "Deny"]);
    const [first, quote, last, ...more] = message.content.split("\n");
    expect(more).toEqual([]);
    expect(first).toBe(`<@${users.ana}> May I do this?`);
    expect(quote).toBe(
      "> Ban \\@ben from Harbour, for\\: \\*\\*spam\\*\\* \\`x\\` \\<\\@1\\> \\[here\\]\\(https\\://evil\\.example\\) \\> quoted",
    );
    expect(last).toMatch(/^-# .*somebody who may do the same themselves.* <t:\d+:R>\.$/);
    const [, approvalId = ""] = buttons(message)[0]?.custom_id.split(":") ?? [];
    expect(message.nonce ?? postNonce("question", approvalId, 0, 0)).toBe(
      postNonce("question", approvalId, 0, 0),
    );
    expect(
      rig.sim.requests.find(({ body }) => JSON.stringify(body ?? null).includes("approve:"))?.body,
    ).toMatchObject({
      nonce: postNonce("question", approvalId, 0, 0),
      enforce_nonce: true,
      flags: 4,
    });
    expect(contract.violations).toEqual([]);
  });

  test("is decided by a press: the message shows the verdict at once, and the turn goes on", async () => {
    const { rig, ran, contract } = await startAsking();
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    press(rig, message, "approve", users.owner);
    const decided = await decidedMessage(rig, message.id);
    expect(decided.content).toStartWith("> Ban \\@ben");
    expect(decided.content).toEndWith(`**Approved** by <@${users.owner}>.`);
    const answer = await rig.sim.waitForMessage((one) => one.content.startsWith("Result: "));
    expect(answer.content).toContain(`banned, as ${users.owner} said`);
    expect(ran).toHaveLength(1);
    await rig.discord.close({ resumable: true });
    expect(await rig.memory.outbox.unshownVerdicts(10)).toEqual([]);
    expect(edits(rig, message.id)).toEqual([]);
    expect(contract.violations).toEqual([]);
  });

  test("is left to those who could do it themselves; others are told why, and it stands", async () => {
    const { rig, ran, contract } = await startAsking();
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    const before = rig.sim.mark();
    press(rig, message, "approve", users.ben);
    const told = await whisper(rig, before);
    expect(told.content).toBe(
      "Only somebody who may do this themselves can decide it. \\@ben cannot Ban Members in Harbour\\.",
    );
    const ended = rig.ended();
    press(rig, message, "deny", users.ana);
    const decided = await decidedMessage(rig, message.id);
    expect(decided.content).toEndWith(`**Denied** by <@${users.ana}>.`);
    await ended;
    expect(ran).toEqual([]);
    expect(contract.violations).toEqual([]);
  });

  test("is decided once when two press at once", async () => {
    const { rig, ran } = await startAsking();
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    const before = rig.sim.mark();
    const ended = rig.ended();
    press(rig, message, "approve", users.ana);
    press(rig, message, "deny", users.owner);
    const told = await whisper(rig, before);
    expect(told.content).toContain("has been answered already");
    await ended;
    const decided = await decidedMessage(rig, message.id);
    expect(decided.content).toContain(ran.length === 1 ? "**Approved**" : "**Denied**");
  });

  test("whose press takes long is answered in two parts, for a yes as for a refusal", async () => {
    const door = gate();
    const { rig, contract } = await startAsking(question, {
      timing: { deferMs: 20 },
      turnTools: { assertMayApprove: () => door.opened },
    });
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    press(rig, message, "approve");
    const callback = await rig.sim.waitForRequest(({ path }) => path.endsWith("/callback"));
    expect(callback.body).toEqual({ type: 6 });
    door.open();
    expect((await decidedMessage(rig, message.id)).content).toContain("**Approved**");
    const before = rig.sim.mark();
    rig.sim.interact.press({
      userId: users.ana,
      messageId: message.id,
      customId: buttons(message)[1]?.custom_id ?? "",
    });
    expect((await whisper(rig, before)).content).toContain("has been answered already");
    expect(contract.violations).toEqual([]);
  });

  test("that nobody answers expires, and its message says so", async () => {
    let time = Date.now();
    const { rig } = await startAsking(question, { now: () => time });
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    time += 16 * 60_000;
    await rig.turns.expireApprovals();
    expect((await decidedMessage(rig, message.id)).content).toContain("**Expired:** nobody decided in time");
  });

  test("is withdrawn by a new message, and its message says so", async () => {
    const { rig, ran } = await startAsking();
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    const next = rig.say(`${mention} plain`);
    expect((await rig.replyTo(next.id)).content).toBe("Plainly.");
    expect((await decidedMessage(rig, message.id)).content).toContain("**Withdrawn:**");
    expect(ran).toEqual([]);
  });

  test("that Discord does not take is answered with no, so that the turn goes on", async () => {
    const { rig } = await startAsking();
    await using _ = rig;
    rig.sim.faults.rest({
      method: "POST",
      path: /\/messages$/,
      respond: 403,
      body: { message: "Missing Permissions", code: 50013 },
    });
    const asked = rig.say(`${mention} ban ben`);
    expect((await rig.replyTo(asked.id)).content).toStartWith("Result: ");
  });

  test("is posted once when it is not known whether it arrived, and can be pressed", async () => {
    const { rig, ran } = await startAsking(question, { timing: { lookAfterMs: 60_000 } });
    await using _ = rig;
    rig.sim.faults.rest({ method: "POST", path: /\/messages$/, respond: 502, afterEffect: true });
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    const ended = rig.ended();
    press(rig, message, "approve");
    await ended;
    expect(ran).toHaveLength(1);
    await decidedMessage(rig, message.id);
    await rig.outboxEmpty();
    expect(rig.said().filter((content) => content.includes("Ban \\@ben"))).toHaveLength(1);
  });

  test("types while it works, and not while it waits for a person", async () => {
    const { rig } = await startAsking(question, { timing: { typingMs: 5 } });
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    await askedIn(rig, channels.general);
    const typed = () =>
      rig.sim.requests.filter(({ path }) => path === `/channels/${channels.general}/typing`);
    const elsewhere = async () => {
      const other = rig.say(`${mention} plain`, { userId: users.ben, channelId: channels.help });
      await rig.replyTo(other.id);
    };
    await elsewhere();
    const before = typed().length;
    for (let round = 0; round < 3; round += 1) await elsewhere();
    expect(typed()).toHaveLength(before);
  });
});

describe("a verdict", () => {
  test("that was reached while no Discord was there is shown by the next process, and the turn goes on", async () => {
    const { rig, ran } = await startAsking();
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    await rig.outboxEmpty();
    await rig.end();
    rig.reopen();
    const [waiting] = await rig.memory.approvals.pending(await conversation(rig));
    await rig.memory.approvals.decide(waiting?.id ?? "", { approved: true, by: users.owner }, Date.now());
    await rig.begin();
    expect((await decidedMessage(rig, message.id)).content).toContain("**Approved**");
    await rig.sim.waitForMessage((one) => one.content.includes("banned, as"));
    expect(ran).toHaveLength(1);
  });

  test("is tried again while Discord does not take it, and given up where its message is gone", async () => {
    const { rig } = await startAsking();
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    const fault = rig.sim.faults.rest({ method: "PATCH", path: /\/messages\/\d+$/, respond: 500, times: 4 });
    await rig.turns.cancel(await conversation(rig));
    expect((await decidedMessage(rig, message.id)).content).toContain("**Withdrawn:**");
    expect(fault.hits).toBe(4);

    const since = rig.sim.mark();
    rig.say(`${mention} ban ben`);
    const second = await askedIn(rig, channels.general, { since });
    rig.sim.remove(second.id);
    await rig.turns.cancel(await conversation(rig));
    await rig.sim.waitForRequest(({ path, status }) => path.endsWith(second.id) && status === 404);
    await rig.discord.close({ resumable: true });
    expect(await rig.memory.outbox.unshownVerdicts(10)).toEqual([]);
  });

  async function conversation(rig: Rig): Promise<string> {
    return (await rig.memory.turns.conversationId(users.ana, channels.general, guildId)) ?? "";
  }
});

describe("a question that is not for everybody", () => {
  test("is asked in a direct message, and the channel gets a word without content once it has arrived", async () => {
    const { rig, ran, contract } = await startAsking(secret);
    await using _ = rig;
    const asked = rig.say(`${mention} ban ben`);
    const word = await rig.replyTo(asked.id);
    expect(word.content).toBe("I have asked you something in a direct message.");
    const direct = rig.sim.openDirectMessage(users.ana);
    const message = await askedIn(rig, direct);
    expect(BigInt(message.id)).toBeLessThan(BigInt(word.id));
    expect(message.content).toContain("> Ban \\@ben");
    expect(rig.said().join()).not.toContain("ben");
    const ended = rig.ended();
    press(rig, message, "approve");
    expect((await decidedMessage(rig, message.id)).content).toContain("**Approved**");
    await ended;
    expect(ran).toHaveLength(1);
    expect(contract.violations).toEqual([]);
  });

  test.each(["the message", "the channel"])(
    "is answered with no where Discord refuses %s, and the asker is told how to allow it",
    async (what) => {
      const { rig, ran } = await startAsking(secret);
      await using _ = rig;
      const direct = rig.sim.openDirectMessage(users.ana);
      rig.sim.faults.rest({
        method: "POST",
        path:
          what === "the channel" ? /^\/users\/@me\/channels$/ : new RegExp(`^/channels/${direct}/messages$`),
        respond: what === "the channel" ? 400 : 403,
        body: { message: "Cannot send messages to this user", code: 50007 },
      });
      const asked = rig.say(`${mention} ban ben`);
      const told = await rig.sim.waitForMessage(
        (one) => one.message_reference?.message_id === asked.id && one.content.includes("privacy settings"),
      );
      expect(told.content).not.toContain("ben");
      await rig.sim.waitForMessage((one) => one.content.startsWith("Result: "));
      await rig.outboxEmpty();
      expect(rig.said().some((content) => content.includes("I have asked you"))).toBe(false);
      expect(rig.said(direct)).toEqual([]);
      expect(ran).toEqual([]);
    },
  );

  test("is asked right there in a direct message", async () => {
    const { rig } = await startAsking(secret);
    await using _ = rig;
    const direct = rig.sim.openDirectMessage(users.ana);
    rig.say("ban ben", { channelId: direct });
    const message = await askedIn(rig, direct);
    expect(message.content).toContain("Ban \\@ben");
    expect(message.message_reference).toBeDefined();
    await rig.outboxEmpty();
    expect(rig.said(direct)).toHaveLength(1);
  });
});
