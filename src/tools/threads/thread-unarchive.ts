import { Type } from "typebox";
import { inChannel } from "../audiences.ts";
import { fromChannel } from "../sources.ts";
import { assertMayTakePart } from "../speaking.ts";
import { defineTool } from "../tool.ts";
import { threadInput, threadTarget } from "./arguments.ts";
import { toReopen } from "./ruling.ts";

export const threadUnarchive = defineTool({
  name: "discord_thread_unarchive",
  title: "Reopen a thread",
  description: "Brings an archived Discord thread or forum post back into the channel list.",
  family: "threads",
  kind: "write",
  repeatable: true,
  input: threadInput,
  output: Type.Object({ thread_id: Type.String(), archived: Type.Boolean() }),
  targets: {
    thread: threadTarget(toReopen),
  },
  check: (_input, { thread }, authority, { now }) => assertMayTakePart(thread, authority, now),
  question: (_input, { thread }) => `Reopen the archived thread ${thread.actor.place}?`,
  audience: (_input, { thread }) => inChannel(thread),
  async run({ reason: why }, { thread: { facts } }, { change, reason, signal }) {
    if (facts.thread?.isArchived)
      await change.editChannel(facts.id, { archived: false }, { signal, reason: reason(why) });
    return { value: { thread_id: facts.id, archived: false }, sources: [fromChannel(facts.id)] };
  },
});
