import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { reasonArgument, userArgument } from "../argument-schemas.ts";
import { inGuild } from "../audiences.ts";
import { excerpt } from "../question.ts";
import { nullable } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { whom } from "./describe.ts";

const { ChangeNickname, ManageNicknames } = PermissionFlagsBits;
/** https://docs.discord.com/developers/resources/guild#modify-guild-member */
const maxNick = 32;

export const memberNickname = defineTool({
  name: "discord_member_nickname",
  title: "Change a nickname",
  description:
    "Changes the nickname of a member in this Discord server, or clears it. Without user_id: that of the person who asks.",
  family: "members",
  kind: "write",
  repeatable: true,
  input: Type.Object(
    {
      user_id: Type.Optional(userArgument("Whose. Default: the person who asks.")),
      nickname: Type.String({
        maxLength: maxNick,
        description: `The new nickname, at most ${maxNick} characters; empty clears it.`,
      }),
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({ user_id: Type.String(), nickname: nullable(Type.String()) }),
  targets: {
    member: {
      kind: "member",
      argument: "user_id",
      absent: "self",
      needs: {
        words: "Manage Nicknames, and a role above the member's; for one's own: Change Nickname",
        bits: ({ facts }, userId) => (facts.userId === userId ? ChangeNickname : ManageNicknames),
      },
    },
  },
  async check(_input, { member: { facts, name } }, authority) {
    const isSelf = facts.userId === authority.actor.userId;
    const isBot = facts.userId === (await authority.botUserId());
    if (isSelf && isBot) return;
    await authority.assertAboveMember(facts, name, isSelf ? "bot" : isBot ? "actor" : "both");
  },
  question({ nickname }, { member: { facts, name } }) {
    const who = whom(name, facts.userId);
    return nickname.trim() === ""
      ? `Clear the nickname of ${who}?`
      : `Change the nickname of ${who} to ${excerpt(nickname)}?`;
  },
  audience: (_input, { member }) => inGuild(member.guildId),
  async run({ nickname, reason: why }, { member }, { authority, change, reason, signal }) {
    const { guildId, facts } = member;
    // Of itself the bot has to speak as @me, for which Change Nickname is enough.
    const userId = facts.userId === (await authority.botUserId()) ? "@me" : facts.userId;
    const nick = nickname.trim() === "" ? null : nickname.trim();
    await change.editMember(guildId, userId, { nick }, { signal, reason: reason(why) });
    return { value: { user_id: facts.userId, nickname: nick }, sources: [fromGuild(guildId)] };
  },
});
