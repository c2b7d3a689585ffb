import { expect, test } from "bun:test";
import { messagesTools } from "../../src/tools/messages/all.ts";
import { actorOf, DEMO, startWorld } from "./world.ts";

const { channels, users } = DEMO;

test("a yes lets private words out only from who could read them, besides the person who asks", async () => {
  await using world = await startWorld({ tools: messagesTools });
  const request = {
    toolName: "discord_message_send",
    input: { channel_id: channels.general, content: "The keys are with Olive." },
    actor: actorOf({ as: users.moderator, channel: channels.staff }),
    activeTools: [],
    sessionId: "s_1",
    turnId: "t_1",
    signal: new AbortController().signal,
  };
  const { question } = await world.registry.call(request);
  const fingerprint = question?.fingerprint ?? "";
  expect(question?.text).toContain("I have read things for you");
  const yes = (approvedBy: string) =>
    world.registry.call({ ...request, approval: { approvalId: "a_1", fingerprint, approvedBy } });
  expect((await yes(users.ana)).kind).toBe("asked");
  expect((await yes(users.owner)).kind).toBe("done");
  expect((await yes(users.moderator)).kind).toBe("done");
});
