import { Type } from "typebox";
import { userArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { whom } from "../members/describe.ts";
import { assertNotArchived } from "../messages/threads-open.ts";
import { fromChannel } from "../sources.ts";
import { assertMayTakePart } from "../speaking.ts";
import type { UserPlace } from "../targets.ts";
import { defineTool } from "../tool.ts";
import { threadOrOwn, threadTarget } from "./arguments.ts";
import { toRemove } from "./ruling.ts";

export const threadMemberRemove = defineTool({
  name: "discord_thread_member_remove",
  title: "Remove somebody from a thread",
  description: "Removes a member from a Discord thread; from a private one, so that they no longer see it.",
  family: "threads",
  kind: "destroy",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: threadOrOwn("Which thread."),
      user_id: userArgument("Whom."),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    thread_id: Type.String(),
    removed: Type.String({ description: "The user's id." }),
  }),
  targets: {
    thread: threadTarget(toRemove),
    user: { kind: "user", argument: "user_id", absent: "error", needs: 0n },
  },
  async check(_input, { thread }, authority, { now }) {
    assertNotArchived(thread);
    await assertMayTakePart(thread, authority, now);
  },
  question: (_input, { thread, user }) => `Remove ${shown(user)} from the thread ${thread.actor.place}?`,
  audience: (_input, { thread }) => inChannel(thread),
  async run(_input, { thread: { facts }, user: { user } }, { change, signal }) {
    await change.removeThreadMember(facts.id, user.id, { signal });
    return { value: { thread_id: facts.id, removed: user.id }, sources: [fromChannel(facts.id)] };
  },
});

/** Strangers are named to nobody here, by whatever id. */
const shown = ({ member, name, user }: UserPlace): string =>
  member === null ? `the user ${user.id}` : whom(name, user.id);
