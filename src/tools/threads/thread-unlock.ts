import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { inChannel } from "../audiences.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { threadInput, threadTarget } from "./arguments.ts";

export const threadUnlock = defineTool({
  name: "discord_thread_unlock",
  title: "Unlock a thread",
  description:
    "Unlocks a Discord thread or forum post, so that everybody who could before writes in it again. An archived one is reopened by it.",
  family: "threads",
  kind: "write",
  repeatable: true,
  input: threadInput,
  output: Type.Object({ thread_id: Type.String(), locked: Type.Boolean(), archived: Type.Boolean() }),
  targets: {
    thread: threadTarget(PermissionFlagsBits.ManageThreads),
  },
  question: (_input, { thread }) =>
    `Unlock the thread ${thread.actor.place}${thread.facts.thread?.isArchived ? " and reopen it" : ""}?`,
  audience: (_input, { thread }) => inChannel(thread),
  async run({ reason: why }, { thread: { facts } }, { change, reason, signal }) {
    const { isLocked = false, isArchived = false } = facts.thread ?? {};
    // An archived thread can be changed only by reopening it.
    const body = { locked: false, ...(isArchived ? { archived: false } : {}) };
    if (isLocked) await change.editChannel(facts.id, body, { signal, reason: reason(why) });
    return {
      value: { thread_id: facts.id, locked: false, archived: isArchived && !isLocked },
      sources: [fromChannel(facts.id)],
    };
  },
});
