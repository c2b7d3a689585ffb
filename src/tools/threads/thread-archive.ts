import { Type } from "typebox";
import { inChannel } from "../audiences.ts";
import { fromChannel } from "../sources.ts";
import { assertMayTakePart } from "../speaking.ts";
import { defineTool } from "../tool.ts";
import { threadInput, threadTarget } from "./arguments.ts";
import { asMaker } from "./ruling.ts";

export const threadArchive = defineTool({
  name: "discord_thread_archive",
  title: "Archive a thread",
  description:
    "Archives a Discord thread or forum post, which takes it out of the channel list. A message in it opens it again, unless it is locked.",
  family: "threads",
  kind: "write",
  repeatable: true,
  input: threadInput,
  output: Type.Object({ thread_id: Type.String(), archived: Type.Boolean() }),
  targets: {
    thread: threadTarget(asMaker),
  },
  check: (_input, { thread }, authority, { now }) => assertMayTakePart(thread, authority, now),
  question: (_input, { thread }) => `Archive the thread ${thread.actor.place}?`,
  audience: (_input, { thread }) => inChannel(thread),
  async run({ reason: why }, { thread: { facts } }, { change, reason, signal }) {
    // Discord lets nobody change an archived thread, not even into what it is.
    if (!facts.thread?.isArchived)
      await change.editChannel(facts.id, { archived: true }, { signal, reason: reason(why) });
    return { value: { thread_id: facts.id, archived: true }, sources: [fromChannel(facts.id)] };
  },
});
