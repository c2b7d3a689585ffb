import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { reasonArgument, userArgument } from "../argument-schemas.ts";
import { inGuild } from "../audiences.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { whom } from "./describe.ts";
import { assertNotSelf } from "./oneself.ts";

const { BanMembers } = PermissionFlagsBits;
/** https://docs.discord.com/developers/resources/guild#create-guild-ban */
const week = 7 * 24 * 60 * 60;

export const memberBan = defineTool({
  name: "discord_member_ban",
  title: "Ban a user",
  description:
    "Bans a user from this Discord server, whether they are a member (who is removed) or not (who then cannot join), and if wanted deletes what they wrote in the last days.",
  family: "members",
  kind: "destroy",
  repeatable: true,
  input: Type.Object(
    {
      user_id: userArgument("Whom; by id alone when they are no member."),
      delete_message_seconds: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: week,
          default: 0,
          description: `Deletes what they wrote in the last so many seconds: 86400 for a day, at most ${week} (7 days).`,
        }),
      ),
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    banned: Type.String({ description: "The user's id." }),
    was_member: Type.Boolean(),
  }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: BanMembers },
    user: { kind: "user", argument: "user_id", absent: "error", isBelow: true, needs: 0n },
  },
  check(_input, { user }, authority) {
    assertNotSelf(user.user.id, authority, "ban themselves");
  },
  question({ delete_message_seconds: seconds = 0 }, { guild, user: { user, name, member } }) {
    const standing = member === null ? ", who is no member," : "";
    const also = seconds === 0 ? "" : ` and delete what they wrote in the last ${lengthOf(seconds)}`;
    return `Ban ${whom(name, user.id)}${standing} from ${guild.actor.place}${also}?`;
  },
  audience: (_input, { guild }) => inGuild(guild.facts.id),
  async run({ delete_message_seconds = 0, reason: why }, { guild, user }, { change, reason, signal }) {
    const { id } = user.user;
    await change.banUser(guild.facts.id, id, delete_message_seconds, { signal, reason: reason(why) });
    return {
      value: { banned: id, was_member: user.member !== null },
      sources: [fromGuild(guild.facts.id)],
    };
  },
});

function lengthOf(seconds: number): string {
  const units = [
    [24 * 60 * 60, "day"],
    [60 * 60, "hour"],
    [60, "minute"],
  ] as const;
  const [size, unit] = units.find(([one]) => seconds % one === 0) ?? [1, "second"];
  return seconds === size ? `1 ${unit}` : `${seconds / size} ${unit}s`;
}
