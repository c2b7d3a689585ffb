import { fromChannel } from "../sources.ts";
import { assertMayTakePart } from "../speaking.ts";
import { defineTool } from "../tool.ts";
import { pinAudience, pinInput, pinOutput, pinTargets } from "./pinning.ts";
import { assertNotArchived } from "./threads-open.ts";
import { named } from "./whose.ts";

export const messageUnpin = defineTool({
  name: "discord_message_unpin",
  title: "Unpin a message",
  description: "Takes a message from the pins of its Discord channel or thread; the message stays.",
  family: "messages",
  kind: "write",
  repeatable: true,
  input: pinInput,
  output: pinOutput,
  targets: pinTargets,
  async check(_input, { channel }, authority, { now }) {
    assertNotArchived(channel);
    await assertMayTakePart(channel, authority, now);
  },
  question: (_input, { message }) => `Unpin ${named(message)}?`,
  audience: pinAudience,
  async run({ reason: why }, { channel, message: { message } }, { change, reason, signal }) {
    await change.unpinMessage(channel.facts.id, message.id, { signal, reason: reason(why) });
    return {
      value: { message_id: message.id, channel_id: channel.facts.id, pinned: false },
      sources: [fromChannel(channel.facts.id)],
    };
  },
});
