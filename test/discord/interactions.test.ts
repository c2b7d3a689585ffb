import { describe, expect, test } from "bun:test";
import { askedIn, buttons, decidedMessage, edits, press, startAsking, whisper } from "./asking.ts";
import { channels, mention, Rig, users } from "./harness.ts";

describe("what people begin with the application", () => {
  test("is answered to them alone when it is a command that there is not", async () => {
    await using rig = await Rig.start();
    const before = rig.sim.mark();
    rig.sim.interact.command({ userId: users.ben, channelId: channels.general, name: "ask" });
    expect((await whisper(rig, before)).content).toContain("mention me in a channel");
  });

  test("is answered to them alone when it is a button that nobody knows any more", async () => {
    const { rig } = await startAsking();
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    for (const customId of ["other", "approve:a_short", `approve:a_${"x".repeat(22)} `, ""]) {
      const before = rig.sim.mark();
      rig.sim.interact.press({ userId: users.ana, messageId: message.id, customId });
      expect((await whisper(rig, before)).content).toContain("I do not know this button");
    }
    expect(buttons(await askedIn(rig, channels.general))).toHaveLength(2);
  });

  test("is limited for each person", async () => {
    const { rig } = await startAsking(undefined, { env: { RATE_LIMIT_USER: "2/60" } });
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    for (const expected of ["cannot Ban Members", "cannot Ban Members", "too many messages"]) {
      const before = rig.sim.mark();
      press(rig, message, "approve", users.ben);
      expect((await whisper(rig, before)).content).toContain(expected);
    }
  });
});

describe("an old question", () => {
  test("is put right when it is pressed though its verdict counts as shown", async () => {
    const { rig } = await startAsking();
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    const [, id = ""] = buttons(message)[0]?.custom_id.split(":") ?? [];
    await rig.outboxEmpty();
    await rig.memory.approvals.decide(id, { approved: false, by: users.owner }, Date.now());
    await rig.memory.outbox.markShown(id);
    const before = rig.sim.mark();
    press(rig, message, "approve");
    expect((await whisper(rig, before)).content).toContain("it was denied");
    expect((await decidedMessage(rig, message.id)).content).toContain(`**Denied** by <@${users.owner}>`);
  });

  test("loses its buttons when nothing is known of it", async () => {
    const { rig } = await startAsking();
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    const before = rig.sim.mark();
    const customId = `approve:a_${"x".repeat(22)}`;
    rig.sim.interact.press({ userId: users.ana, messageId: message.id, customId });
    expect((await whisper(rig, before)).content).toContain("There is no such question");
    expect((await decidedMessage(rig, message.id)).content).toBe(message.content);
  });
});

describe("by webhook", () => {
  const webhook = (more: object) => ({
    id: "1",
    application_id: "2",
    token: "t",
    version: 1,
    channel_id: channels.general,
    ...more,
  });

  test("a press is answered in the response, and its verdict shown whether or not that arrived", async () => {
    const { rig, ran } = await startAsking();
    await using _ = rig;
    rig.say(`${mention} ban ben`);
    const message = await askedIn(rig, channels.general);
    await rig.outboxEmpty();
    const customId = buttons(message)[0]?.custom_id;
    const by = (id: string) =>
      webhook({
        type: 3,
        data: { custom_id: customId, component_type: 2 },
        message,
        member: { user: { id } },
      });
    expect(await rig.discord.interact(by(users.ben))).toMatchObject({
      type: 4,
      data: { flags: 64, content: expect.stringContaining("cannot Ban Members") },
    });
    const ended = rig.ended();
    expect(await rig.discord.interact(by(users.ana))).toMatchObject({
      type: 7,
      data: { components: [], content: expect.stringContaining(`**Approved** by <@${users.ana}>`) },
    });
    await decidedMessage(rig, message.id);
    expect(edits(rig, message.id)).toHaveLength(1);
    await ended;
    expect(ran).toHaveLength(1);
  });

  test("other kinds are answered as by the gateway, and what is none is refused", async () => {
    await using rig = await Rig.start();
    const user = { id: users.ana };
    expect(await rig.discord.interact(webhook({ type: 4, user }))).toEqual({
      type: 8,
      data: { choices: [] },
    });
    expect(await rig.discord.interact(webhook({ type: 2, user }))).toMatchObject({
      type: 4,
      data: { flags: 64 },
    });
    for (const body of [null, {}, webhook({ type: "2" }), webhook({ type: 2, token: "" })])
      await expect(rig.discord.interact(body)).rejects.toMatchObject({ code: "invalid_data" });
  });
});
