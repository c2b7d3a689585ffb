import { expect, test } from "bun:test";
import { messageSend } from "../../../src/tools/messages/message-send.ts";
import { DEMO, startWorld } from "../world.ts";

const { channels, users } = DEMO;

test("is posted, and written down for whom", async () => {
  await using world = await startWorld({ tools: [messageSend] });
  const value = await world.done(
    "discord_message_send",
    { channel_id: "#help", content: "Hello" },
    { as: users.ana },
  );
  expect(value).toMatchObject({ content: "Hello" });
  await world.refused(
    "discord_message_send",
    { channel_id: channels.announcements, content: "x" },
    { as: users.ana },
    "@Ana cannot Send Messages in #announcements",
  );
});
