import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { isThread } from "../../permissions/compute.ts";
import { explainPermission, type PermissionQuestion, type Step } from "../../permissions/explain.ts";
import { permissionNames } from "../../permissions/names.ts";
import { channelArgument, userArgument } from "../argument-schemas.ts";
import { assertStanding, plain } from "../authority.ts";
import { seesTimeoutOf, timeoutOf } from "../members/timeouts.ts";
import { note } from "../result-schemas.ts";
import { fromChannel, fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { inChannels, permissionArgument, permissionBits } from "./permission-words.ts";
import { hash, inWords, type Spoken } from "./words.ts";

const { ManageRoles } = PermissionFlagsBits;
const timeoutNote =
  "Whether they are in time-out is not counted: that is shown to those who can give a time-out.";

export const permissionsExplain = defineTool({
  name: "discord_permissions_explain",
  title: "Explain a permission",
  description:
    "Says why somebody may or may not do something in a channel, or in the server: which role or channel permission decided. About others it is for those who manage roles.",
  family: "permissions",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      permission: permissionArgument("What it is about."),
      user_id: Type.Optional(userArgument("Who. Default: the person who asks.")),
      channel_id: Type.Optional(
        channelArgument(
          "Where. Default: the channel of this conversation. What counts in the server as a whole, such as Ban Members, is looked at there.",
        ),
      ),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    verdict: Type.String({ description: "One sentence." }),
    allowed: Type.Boolean(),
    permission: Type.String(),
    user_id: Type.String(),
    channel_id: Type.Optional(Type.String({ description: "Left out for what counts in the whole server." })),
    why: Type.Array(Type.String(), {
      description: "In the order in which Discord decides; the last one counts.",
    }),
    note,
  }),
  targets: {
    member: { kind: "member", argument: "user_id", absent: "self", needs: 0n },
    channel: { kind: "channel", argument: "channel_id", absent: "own", needs: 0n },
  },
  /** Discord's settings show what roles and channels permit to those who manage roles, in the server or in that channel. */
  async check({ permission }, { member, channel }, authority) {
    const bit = permissionBits("permission", [permission]);
    if (member.facts.userId === authority.actor.userId) return;
    const isOfChannel = (bit & inChannels) !== 0n;
    assertStanding(ManageRoles, isOfChannel ? channel.actor : (await authority.inGuild()).actor);
  },
  async run({ permission }, { member, channel }, context) {
    const { actor, authority, now } = context;
    const bit = permissionBits("permission", [permission]);
    const guild = await authority.guild();
    const isOfChannel = (bit & inChannels) !== 0n;
    const isSelf = member.facts.userId === actor.userId;
    const seesTimeout = await seesTimeoutOf(member.facts.userId, authority);
    const { facts, parent } = channel;
    const question: PermissionQuestion = {
      guild,
      member: seesTimeout ? member.facts : { ...member.facts, timedOutUntil: null },
      channel: isOfChannel ? facts : null,
      parent,
      isThreadMember: isThread(facts) && (await authority.isThreadMember(facts.id, member.facts.userId)),
      now: now(),
    };
    const { isAllowed, steps } = explainPermission(question, bit);
    const spoken = {
      guild,
      name: member.name,
      place: isOfChannel ? channel.actor.place : plain(guild.name),
      permission: permissionNames(bit).join(", "),
      overwritesOf: hash((isThread(facts) ? parent?.name : undefined) ?? facts.name),
    };
    const why = [...steps.map((step) => inWords(step, spoken)), ...beneath(steps.at(-1), question, spoken)];
    const value = {
      verdict: `${member.name} ${isAllowed ? "may" : "may not"} ${spoken.permission} in ${spoken.place}.`,
      allowed: isAllowed,
      permission: spoken.permission,
      user_id: member.facts.userId,
      ...(isOfChannel ? { channel_id: facts.id } : {}),
      why,
      ...(seesTimeout ? {} : { note: timeoutNote }),
    };
    const timeout = isSelf ? [] : (await timeoutOf(guild.id, member.facts, context)).sources;
    const sources = [
      fromGuild(guild.id, isSelf ? 0n : ManageRoles),
      ...timeout,
      ...(isOfChannel ? [fromChannel(facts.id)] : []),
    ];
    return { value, sources };
  },
});

/** Why what has to be there too is missing. */
function beneath(last: Step | undefined, question: PermissionQuestion, spoken: Spoken): readonly string[] {
  if (last?.by !== "implied") return [];
  const bit = PermissionFlagsBits[last.missing];
  const named = { ...spoken, permission: permissionNames(bit).join(", ") };
  return explainPermission(question, bit).steps.map((step) => inWords(step, named));
}
