import { describe, expect, test } from "bun:test";
import { askedIn, buttons, decidedMessage, press } from "./asking.ts";
import { botId, channels, mention, Rig, type RigOptions, users } from "./harness.ts";

const secretWords = "The staff will meet at nine.";
const word =
  "I have sent you the answer in a direct message: it draws on places that not everybody here can see.";

/** A model that reads what not everybody in the channel can read, and says it. */
function restricted(policy: "ask" | "direct", text = secretWords): RigOptions {
  return {
    answer: (request) =>
      Array.isArray(request.messages.at(-1)?.content) &&
      JSON.stringify(request.messages.at(-1)?.content).includes("tool_result")
        ? text
        : [{ type: "tool_use", id: "toolu_1", name: "read", input: {}, caller: { type: "direct" } }],
    turnTools: {
      call: async () => ({ kind: "done", text: "nine", isError: false, sources: ["channel:1"] }),
    },
    flow: { restricted: async (_audience, sources) => sources, policy: () => policy },
  };
}

describe("an answer that is not for everybody", () => {
  test("goes to the asker alone, and the channel gets a word about it once it has arrived", async () => {
    await using rig = await Rig.start(restricted("direct"));
    const asked = rig.say(`${mention} when do the staff meet?`);
    const told = await rig.replyTo(asked.id);
    expect(told.content).toBe(word);
    expect(told.mentions.map(({ id }) => id)).toEqual([users.ana]);
    const direct = rig.sim.openDirectMessage(users.ana);
    expect(rig.said(direct)).toEqual([secretWords]);
    await rig.outboxEmpty();
    expect(rig.said()).toEqual([word]);
  });

  test("comes whole and in order when it is long", async () => {
    const text = Array.from({ length: 300 }, (_, at) => `Line ${at} of the answer.`).join("\n");
    await using rig = await Rig.start(restricted("direct", text));
    const asked = rig.say(`${mention} tell me all`);
    await rig.replyTo(asked.id);
    await rig.outboxEmpty();
    const direct = rig.sim.openDirectMessage(users.ana);
    expect(rig.said(direct).join("\n")).toBe(text);
    expect(rig.said()).toEqual([word]);
  });

  for (const [what, method] of [
    ["message", /^\/channels\/\d+\/messages$/],
    ["channel", /^\/users\/@me\/channels$/],
  ] as const)
    test(`is kept where Discord refuses the direct ${what}: the channel is told so, without content`, async () => {
      const text = Array.from({ length: 300 }, (_, at) => `Line ${at} of the answer.`).join("\n");
      await using rig = await Rig.start(restricted("direct", text));
      const refused = rig.sim.faults.rest({
        method: "POST",
        path: method,
        respond: 403,
        body: { message: "Cannot send messages to this user", code: 50007 },
      });
      const asked = rig.say(`${mention} tell me all`);
      const told = await rig.replyTo(asked.id);
      expect(told.content).toContain("could not send you a direct message");
      await rig.outboxEmpty();
      expect(refused.hits).toBe(1);
      expect(rig.said()).toHaveLength(1);
      expect(rig.said(rig.sim.openDirectMessage(users.ana))).toEqual([]);
    });

  test("waits for its channel to be opened, and holds up nobody else", async () => {
    await using rig = await Rig.start(restricted("direct"));
    const held = rig.sim.faults.rest({ method: "POST", path: /^\/users\/@me\/channels$/, respond: "hold" });
    const asked = rig.say(`${mention} when do the staff meet?`);
    await rig.sim.waitForRequest(({ path }) => path.endsWith("/typing"));
    const other = rig.say(mention, { userId: users.ben });
    expect((await rig.replyTo(other.id)).content).toContain("I am listening");
    held.release();
    expect((await rig.replyTo(asked.id)).content).toBe(word);
  });

  test("is tried again when its channel could not be opened because Discord failed", async () => {
    await using rig = await Rig.start(restricted("direct"));
    const failing = rig.sim.faults.rest({
      method: "POST",
      path: /^\/users\/@me\/channels$/,
      respond: 502,
      times: 2,
    });
    const asked = rig.say(`${mention} when do the staff meet?`);
    expect((await rig.replyTo(asked.id)).content).toBe(word);
    expect(failing.hits).toBe(2);
  });

  test("is posted once over a restart in the middle", async () => {
    await using rig = await Rig.start(restricted("direct"));
    const direct = rig.sim.openDirectMessage(users.ana);
    const held = rig.sim.faults.rest({
      method: "POST",
      path: new RegExp(`^/channels/${direct}/messages$`),
      respond: "timeout",
      afterEffect: true,
    });
    const asked = rig.say(`${mention} when do the staff meet?`);
    await rig.sim.waitForMessage((one) => one.channel_id === direct && one.author.id === botId);
    held.release();
    await rig.restart();
    expect((await rig.replyTo(asked.id)).content).toBe(word);
    await rig.outboxEmpty();
    expect(rig.said(direct)).toEqual([secretWords]);
    expect(rig.said()).toEqual([word]);
  });

  test("is an ordinary answer in a direct message", async () => {
    await using rig = await Rig.start(restricted("direct"));
    const direct = rig.sim.openDirectMessage(users.ana);
    const asked = rig.say("when do the staff meet?", { channelId: direct });
    expect((await rig.replyTo(asked.id)).content).toBe(secretWords);
    await rig.outboxEmpty();
    expect(rig.said(direct)).toEqual([secretWords]);
  });
});

describe("where the asker is asked first", () => {
  test("a yes posts it in the channel", async () => {
    await using rig = await Rig.start(restricted("ask"));
    rig.say(`${mention} when do the staff meet?`);
    const message = await askedIn(rig, channels.general);
    expect(buttons(message).map(({ label }) => label)).toEqual(["Post it here", "Send it to me"]);
    expect(message.content).not.toContain("nine");
    expect(message.content).toContain("Only who asked me can decide that");
    const before = rig.sim.mark();
    press(rig, message, "approve", users.owner);
    const refused = await rig.sim.waitForMessage((one) => ((one.flags ?? 0) & 64) !== 0, { since: before });
    expect(refused.content).toContain("Only the person who asked");
    press(rig, message, "approve");
    expect((await decidedMessage(rig, message.id)).content).toContain("it is posted here");
    await rig.sim.waitForMessage(
      (one) => one.channel_id === channels.general && one.content === secretWords && one.author.id === botId,
    );
  });

  test("a no sends it to them alone", async () => {
    await using rig = await Rig.start(restricted("ask"));
    const asked = rig.say(`${mention} when do the staff meet?`);
    const message = await askedIn(rig, channels.general);
    press(rig, message, "deny");
    expect((await decidedMessage(rig, message.id)).content).toContain("gets it in a direct message");
    await rig.sim.waitForMessage(
      (one) => one.content === word && one.message_reference?.message_id === asked.id,
    );
    expect(rig.said(rig.sim.openDirectMessage(users.ana))).toEqual([secretWords]);
    expect(rig.said()).not.toContain(secretWords);
  });
});
