import { Type } from "typebox";
import { userArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { whom } from "../members/describe.ts";
import { assertNotArchived } from "../messages/threads-open.ts";
import { fromChannel } from "../sources.ts";
import { assertMayTakePart } from "../speaking.ts";
import { defineTool } from "../tool.ts";
import { threadOrOwn, threadTarget } from "./arguments.ts";
import { toAdd } from "./ruling.ts";

export const threadMemberAdd = defineTool({
  name: "discord_thread_member_add",
  title: "Add somebody to a thread",
  description: "Adds a member of the server to a Discord thread; to a private one, so that they can see it.",
  family: "threads",
  kind: "write",
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
    added: Type.String({ description: "The user's id." }),
  }),
  targets: {
    thread: threadTarget(toAdd),
    member: { kind: "member", argument: "user_id", absent: "error", needs: 0n },
  },
  async check(_input, { thread }, authority, { now }) {
    assertNotArchived(thread);
    await assertMayTakePart(thread, authority, now);
  },
  question: (_input, { thread, member }) =>
    `Add ${whom(member.name, member.facts.userId)} to the thread ${thread.actor.place}?`,
  audience: (_input, { thread }) => inChannel(thread),
  async run(_input, { thread: { facts }, member }, { change, signal }) {
    const { userId } = member.facts;
    await change.addThreadMember(facts.id, userId, { signal });
    return { value: { thread_id: facts.id, added: userId }, sources: [fromChannel(facts.id)] };
  },
});
