import { describe, expect, test } from "bun:test";
import type { ModelRequest } from "../../src/agent/ports.ts";
import { snowflakeAt } from "../../src/snowflake.ts";
import { channels, gate, guildId, mention, newestText, Rig, users } from "./harness.ts";

/** A model that answers nothing until its gate is opened. */
function held() {
  const door = gate();
  return {
    door,
    answer: async (request: ModelRequest) => {
      await door.opened;
      return `You said: ${newestText(request).split("\n").at(-1)}`;
    },
  };
}

describe("waiting messages", () => {
  test("an edit changes what waits, a deletion removes it, and neither touches what runs", async () => {
    const { door, answer } = held();
    await using rig = await Rig.start({ answer });
    const running = rig.say(`${mention} running`);
    await rig.sim.waitForTyping(channels.general);
    const edited = rig.say(`${mention} first wording`);
    const deleted = rig.say(`${mention} never mind`);
    await rig.handled(deleted);
    rig.sim.edit(edited.id, `${mention} second wording`);
    rig.sim.remove(deleted.id);
    rig.sim.edit(running.id, `${mention} changed while running`);
    const last = rig.say(`${mention} last`);
    await rig.handled(last);
    door.open();
    await rig.replyTo(last.id);
    expect(rig.said()).toEqual(["You said: running", "You said: second wording", "You said: last"]);
    expect(await rig.memory.seen.has(deleted.id)).toBe(true);
  });

  test("a full queue is told, once a minute, and the message is passed over", async () => {
    const { door, answer } = held();
    await using rig = await Rig.start({ answer, env: { TURN_QUEUE: "1" } });
    rig.say(`${mention} running`);
    await rig.sim.waitForTyping(channels.general);
    rig.say(`${mention} waiting`);
    const refused = rig.say(`${mention} too many`);
    expect((await rig.replyTo(refused.id)).content).toContain("1 messages waiting");
    const again = rig.say(`${mention} again`);
    await rig.handled(again);
    door.open();
    const last = await rig.ended((turn) => turn.text === "waiting");
    await rig.replyTo(last.discordMessageId ?? "");
    expect(rig.said()).toHaveLength(3);
    expect(await rig.memory.seen.has(again.id)).toBe(true);
  });

  test("limits by person and by server are told with the time to wait", async () => {
    await using rig = await Rig.start({ env: { RATE_LIMIT_USER: "1/60", RATE_LIMIT_GUILD: "2/30" } });
    const first = rig.say(`${mention} one`);
    const second = rig.say(`${mention} two`);
    await rig.replyTo(first.id);
    expect((await rig.replyTo(second.id)).content).toMatch(/again in (60|59) s/);
    const third = rig.say(`${mention} three`, { userId: users.ben });
    const fourth = rig.say(`${mention} four`, { userId: users.owner });
    await rig.replyTo(third.id);
    expect((await rig.replyTo(fourth.id)).content).toMatch(/again in (30|29) s/);
    expect(rig.requests).toHaveLength(2);
  });

  test("a delivery that comes twice is answered once", async () => {
    await using rig = await Rig.start();
    rig.sim.faults.gateway.duplicateNext(3);
    rig.say(`${mention} hello`);
    const command = rig.say("!stop");
    const last = rig.say(`${mention} last`);
    await rig.replyTo(last.id);
    await rig.replyTo(command.id);
    expect(rig.said()).toHaveLength(3);
    expect(rig.requests).toHaveLength(2);
  });
});

describe("commands", () => {
  test("!tools lists what the registry has for the asker, in any channel where the bot answers", async () => {
    const actors: unknown[] = [];
    const tools = {
      list: async (actor: unknown) => {
        actors.push(actor);
        return [{ title: "Describe a channel", family: "channels" }];
      },
    };
    await using rig = await Rig.start({ tools });
    const asked = rig.say("!tools");
    const reply = await rig.replyTo(asked.id);
    expect(reply.content).toBe(
      "What I can do for you here, as far as Discord lets you do it yourself:\n- **channels**: describe a channel",
    );
    expect(actors).toEqual([
      { kind: "user", userId: users.ana, guildId: expect.any(String), channelId: channels.general },
    ]);
    expect(rig.requests).toHaveLength(0);
  });

  test("!stop ends what runs and empties the queue, !reset forgets, and both work with a mention, in private, and once", async () => {
    const door = gate();
    await using rig = await Rig.start({
      answer: (_request, signal) =>
        new Promise((resolve, reject) => {
          void door.opened.then(() => resolve("free"));
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    });
    const running = rig.say(`${mention} running`);
    await rig.sim.waitForTyping(channels.general);
    rig.say(`${mention} waiting`);
    const stop = rig.say(`${mention} !stop`);
    expect((await rig.replyTo(stop.id)).content).toContain("1 waiting message");
    await rig.replyTo(running.id);
    const direct = rig.sim.openDirectMessage(users.ana);
    const reset = rig.say("!RESET", { channelId: direct });
    expect((await rig.replyTo(reset.id)).content).toContain("afresh");
    const nothing = rig.say("!stop");
    expect((await rig.replyTo(nothing.id)).content).toContain("nothing of yours");
    const talk = rig.say("!stop it, you two");
    await rig.handled(talk);
    expect(await rig.memory.seen.has(talk.id)).toBe(false);
  });

  test("a command that comes a second time, as after a kill, is not done again", async () => {
    await using rig = await Rig.start();
    const reset = rig.say(`${mention} !reset`);
    await rig.replyTo(reset.id);
    const tea = rig.say(`${mention} I like tea`);
    await rig.replyTo(tea.id);
    rig.sim.faults.gateway.deliver("MESSAGE_CREATE", { ...reset, guild_id: guildId });
    const question = rig.say(`${mention} what do I like?`);
    await rig.replyTo(question.id);
    expect(JSON.stringify(rig.requests.at(-1)?.messages)).toContain("I like tea");
  });

  test("the prefix is configurable, and allow-lists hold for commands", async () => {
    await using rig = await Rig.start({
      env: { DISCORD_PREFIX: "?", DISCORD_ALLOWED_CHANNELS: channels.help },
    });
    const elsewhere = rig.say("?tools");
    const other = rig.say("!tools", { channelId: channels.help });
    const good = rig.say("?tools", { channelId: channels.help });
    await rig.replyTo(good.id);
    await Promise.all([rig.handled(elsewhere), rig.handled(other)]);
    expect(await rig.memory.seen.has(elsewhere.id)).toBe(false);
    expect(await rig.memory.seen.has(other.id)).toBe(false);
  });
});

describe("between processes", () => {
  test("what comes while the process is away arrives by the resumed session, once", async () => {
    await using rig = await Rig.start();
    const before = rig.say(`${mention} before`);
    await rig.replyTo(before.id);
    await rig.end();
    const away = rig.say(`${mention} away`);
    rig.reopen();
    await rig.begin();
    expect((await rig.replyTo(away.id)).content).toBe("You said: away");
    expect(rig.sim.gatewayNotes.filter((note) => note.kind === "identify")).toHaveLength(1);
    const after = rig.say(`${mention} after, with <#${channels.help}>`);
    expect((await rig.replyTo(after.id)).content).toBe("You said: after, with #help");
    expect(rig.requests).toHaveLength(3);
  });

  test("a message that is left at the end is taken by the next process", async () => {
    await using rig = await Rig.start();
    rig.discord.stopIntake();
    const left = rig.say(`${mention} left`);
    await rig.restart();
    expect((await rig.replyTo(left.id)).content).toBe("You said: left");
    expect(rig.requests).toHaveLength(1);
  });

  test("without a session to resume, each channel is read from its mark, direct messages too, and live ones wait", async () => {
    await using rig = await Rig.start();
    const direct = rig.sim.openDirectMessage(users.ben);
    const inPrivate = rig.say("before", { userId: users.ben, channelId: direct });
    await rig.handled(inPrivate);
    await rig.end();
    rig.sim.faults.gateway.forgetSessions();
    const missed = rig.say(`${mention} missed`);
    const missedCommand = rig.say("!tools");
    const elsewhere = rig.say(`${mention} never spoke here before`, { channelId: channels.help });
    const privately = rig.say("missed in private", { userId: users.ben, channelId: direct });
    const reading = rig.sim.faults.rest({ path: /messages$/, method: "GET", respond: "hold", times: 50 });
    rig.reopen();
    await rig.begin();
    const live = rig.say(`${mention} live`);
    reading.release();
    for (const message of [missed, missedCommand, elsewhere, privately, live]) await rig.replyTo(message.id);
    const order = rig.asked.map((text) => text.split("\n").at(-1));
    expect(order.indexOf("missed")).toBeLessThan(order.indexOf("live"));
    expect(order.toSorted()).toEqual([
      "before",
      "live",
      "missed",
      "missed in private",
      "never spoke here before",
    ]);
  });

  test("live messages that are too many to wait are read again", async () => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("a word, for the mark"));
    await rig.end();
    rig.sim.faults.gateway.forgetSessions();
    rig.say("something to catch up");
    const reading = rig.sim.faults.rest({ path: /messages$/, method: "GET", respond: "hold", times: 50 });
    rig.reopen();
    await rig.begin();
    for (let count = 0; count < 505; count += 1) rig.say(`talk ${count}`);
    const question = rig.say(`${mention} and who reads this?`);
    const elsewhere = rig.say(`${mention} hello`, {
      userId: users.ben,
      channelId: rig.sim.openDirectMessage(users.ben),
    });
    await rig.replyTo(elsewhere.id);
    expect(await rig.memory.seen.has(question.id)).toBe(false);
    reading.release();
    expect((await rig.replyTo(question.id)).content).toBe("You said: and who reads this?");
    await rig.handled(question);
  });

  test("what is edited while too much waits is answered as it was", async () => {
    const { door, answer } = held();
    await using rig = await Rig.start({
      answer: (request) =>
        newestText(request).includes("keep busy")
          ? answer(request)
          : `You said: ${newestText(request).split("\n").at(-1)}`,
    });
    await rig.handled(rig.say("a word, for the mark"));
    await rig.end();
    rig.sim.faults.gateway.forgetSessions();
    rig.say("something to catch up");
    const reading = rig.sim.faults.rest({ path: /messages$/, method: "GET", respond: "hold", times: 50 });
    rig.reopen();
    await rig.begin();
    rig.say(`${mention} keep busy`);
    const edited = rig.say(`${mention} first wording`);
    for (let count = 0; count < 505; count += 1) rig.say(`talk ${count}`);
    rig.sim.edit(edited.id, `${mention} second wording`);
    const question = rig.say(`${mention} and who reads this?`);
    const elsewhere = { userId: users.ben, channelId: rig.sim.openDirectMessage(users.ben) };
    await rig.replyTo(rig.say(`${mention} hello`, elsewhere).id);
    reading.release();
    await rig.handled(question);
    await rig.handled(rig.say("whatever waited is dealt with"));
    door.open();
    expect((await rig.replyTo(edited.id)).content).toBe("You said: first wording");
    expect((await rig.replyTo(question.id)).content).toBe("You said: and who reads this?");
  });

  test("a server that comes twice passes over nothing of the channel that is being read", async () => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("a word, for the mark"));
    await rig.end();
    rig.sim.faults.gateway.forgetSessions();
    const missed = rig.say(`${mention} anybody there?`);
    const reading = rig.sim.faults.rest({ path: /messages$/, method: "GET", respond: "hold", times: 50 });
    rig.sim.faults.gateway.duplicateNext(5);
    rig.reopen();
    await rig.begin();
    while (reading.hits === 0) await new Promise((resolve) => setImmediate(resolve));
    // The duplicates have come with this one at the latest.
    const later = rig.say("a word in another channel", { channelId: channels.help });
    await rig.handled(later);
    await rig.end();
    reading.release();
    rig.reopen();
    await rig.begin();
    expect((await rig.replyTo(missed.id)).content).toBe("You said: anybody there?");
  });

  test("a channel that Discord does not let be read for a while is caught up then", async () => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("a word, for the mark"));
    await rig.end();
    rig.sim.faults.gateway.forgetSessions();
    const missed = rig.say(`${mention} anybody there?`);
    // Each reading is repeated once by the client.
    rig.sim.faults.rest({ path: /messages$/, method: "GET", respond: 503, times: 20 });
    rig.reopen();
    await rig.begin();
    expect((await rig.replyTo(missed.id)).content).toBe("You said: anybody there?");
  });

  test("a channel that Discord never lets be read does not hold up what is said in it now", async () => {
    await using rig = await Rig.start({ timing: { retryMs: [1] } });
    await rig.handled(rig.say("a word, for the mark"));
    await rig.end();
    rig.sim.faults.gateway.forgetSessions();
    const missed = rig.say(`${mention} anybody there?`);
    rig.sim.faults.rest({ path: /messages$/, method: "GET", respond: 503, times: 1000 });
    rig.reopen();
    await rig.begin();
    const now = rig.say(`${mention} and now?`);
    expect((await rig.replyTo(now.id)).content).toBe("You said: and now?");
    expect(await rig.memory.seen.has(missed.id)).toBe(false);
  });

  test("catching up is bounded by age", async () => {
    let time = Date.now();
    await using rig = await Rig.start({ now: () => time, simulator: { now: () => time } });
    await rig.handled(rig.say("a word, for the mark"));
    await rig.end();
    rig.sim.faults.gateway.forgetSessions();
    const old = rig.say(`${mention} old`);
    time += 20 * 60_000;
    const recent = rig.say(`${mention} recent`);
    rig.reopen();
    await rig.begin();
    await rig.replyTo(recent.id);
    expect(BigInt(old.id)).toBeLessThan(BigInt(snowflakeAt(time - 15 * 60_000)));
    expect(await rig.memory.seen.has(old.id)).toBe(false);
    expect(rig.requests).toHaveLength(1);
  });

  test("a database that fails once is tried again", async () => {
    await using rig = await Rig.start({ flakySubmits: 1 });
    const question = rig.say(`${mention} hello`);
    expect((await rig.replyTo(question.id)).content).toBe("You said: hello");
  });

  test("a database that goes on failing: the person is told, and the channel goes on", async () => {
    await using rig = await Rig.start({ flakySubmits: 3 });
    const question = rig.say(`${mention} hello`);
    expect((await rig.replyTo(question.id)).content).toContain("went wrong on my side");
    const next = rig.say(`${mention} next`);
    expect((await rig.replyTo(next.id)).content).toBe("You said: next");
  });
});
