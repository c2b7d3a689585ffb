import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { inChannel } from "../audiences.ts";
import { assertNotArchived } from "../messages/threads-open.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { threadInput, threadTarget } from "./arguments.ts";

export const threadLock = defineTool({
  name: "discord_thread_lock",
  title: "Lock a thread",
  description:
    "Locks a Discord thread or forum post: from then on only moderators write in it or reopen it. To close it as well, archive it afterwards.",
  family: "threads",
  kind: "write",
  repeatable: true,
  input: threadInput,
  output: Type.Object({ thread_id: Type.String(), locked: Type.Boolean() }),
  targets: {
    thread: threadTarget(PermissionFlagsBits.ManageThreads),
  },
  check(_input, { thread }) {
    if (!thread.facts.thread?.isLocked) assertNotArchived(thread);
  },
  question: (_input, { thread }) =>
    `Lock the thread ${thread.actor.place}, so that only moderators write in it?`,
  audience: (_input, { thread }) => inChannel(thread),
  async run({ reason: why }, { thread: { facts } }, { change, reason, signal }) {
    if (!facts.thread?.isLocked)
      await change.editChannel(facts.id, { locked: true }, { signal, reason: reason(why) });
    return { value: { thread_id: facts.id, locked: true }, sources: [fromChannel(facts.id)] };
  },
});
