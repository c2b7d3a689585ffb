import { OverwriteType } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { AppError } from "../../errors.ts";
import { permissionNames } from "../../permissions/names.ts";
import { channelArgument, reasonArgument, roleArgument, userArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { inChannels, permissionBits, permissionsArgument } from "../permissions/permission-words.ts";
import { fromChannel } from "../sources.ts";
import type { ChannelPlace } from "../targets.ts";
import { defineTool } from "../tool.ts";
import { assertOne, named, overwritten } from "./overwrite-target.ts";
import { assertMayTouch, overwriteOf, touchedBits } from "./overwrites.ts";

const lists = {
  allow: Type.Optional(permissionsArgument("What they may do there from now on.")),
  deny: Type.Optional(permissionsArgument("What they may not do there from now on.")),
  inherit: Type.Optional(
    permissionsArgument("What is as in the server again, neither allowed nor denied there."),
  ),
};
const Lists = Type.Object(lists);
type Lists = Static<typeof Lists>;

export const channelOverwriteSet = defineTool({
  name: "discord_channel_overwrite_set",
  title: "Set permissions in a channel",
  description:
    "Allows or denies permissions in one channel or category, for a role (also @everyone) or a member; what is not named stays. In a category it also changes the channels that are in sync with it.",
  family: "channels",
  kind: "destroy",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: Type.Optional(channelArgument("Where. Default: the channel of this conversation.")),
      role_id: Type.Optional(roleArgument("The role that it is for; not with user_id.")),
      user_id: Type.Optional(userArgument("The member whom it is for; not with role_id.")),
      ...lists,
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    channel_id: Type.String(),
    user_id: Type.Optional(Type.String()),
    role_id: Type.Optional(Type.String()),
    role: Type.Optional(Type.String({ description: "The role's name." })),
    allowed: Type.Array(Type.String(), { description: "All that they are allowed there now." }),
    denied: Type.Array(Type.String(), { description: "All that they are denied there now." }),
  }),
  targets: {
    channel: overwritten,
    role: { kind: "role", argument: "role_id", absent: "none", needs: 0n },
    member: { kind: "member", argument: "user_id", absent: "none", needs: 0n },
  },
  async check(given, { channel, role, member }, authority) {
    assertOne(role, member);
    const bits = bitsOf(given);
    if ((bits.allow | bits.deny | bits.inherit) === 0n)
      throw new AppError("invalid_arguments", "Name at least one permission to allow, deny or inherit.");
    const twice = (bits.allow & bits.deny) | (bits.allow & bits.inherit) | (bits.deny & bits.inherit);
    if (twice !== 0n)
      throw new AppError("invalid_arguments", `${permissionNames(twice).join(", ")} is named twice.`);
    const id = idOf(role?.facts.id, member?.facts.userId);
    await assertMayTouch(
      channel,
      touchedBits(overwriteOf(channel, id), after(channel, id, given)),
      authority,
    );
  },
  question(given, { channel, role, member }) {
    const { allow, deny, inherit } = bitsOf(given);
    const parts = [
      ["allow", allow],
      ["deny", deny],
      ["no longer say anything about", inherit],
    ] as const;
    const what = parts
      .filter(([, bits]) => bits !== 0n)
      .map(([verb, bits]) => `${verb} ${permissionNames(bits).join(", ")}`);
    return `In ${channel.actor.place}, for ${named(role, member)}: ${what.join("; ")}?`;
  },
  audience: (_input, { channel }) => inChannel(channel),
  async run(given, { channel, role, member }, context) {
    const id = idOf(role?.facts.id, member?.facts.userId);
    const { allow, deny } = after(channel, id, given);
    await context.change.setOverwrite(
      channel.facts.id,
      id,
      {
        type: role === null ? OverwriteType.Member : OverwriteType.Role,
        allow: String(allow),
        deny: String(deny),
      },
      { signal: context.signal, reason: context.reason(given.reason) },
    );
    const value = {
      channel_id: channel.facts.id,
      ...(role === null ? { user_id: id } : { role_id: id, role: role.facts.name }),
      allowed: permissionNames(allow),
      denied: permissionNames(deny),
    };
    return { value, sources: [fromChannel(channel.facts.id)] };
  },
});

function bitsOf({ allow = [], deny = [], inherit = [] }: Lists) {
  return {
    allow: permissionBits("allow", allow, inChannels),
    deny: permissionBits("deny", deny, inChannels),
    inherit: permissionBits("inherit", inherit, inChannels),
  };
}

function after(channel: ChannelPlace, id: string, given: Lists) {
  const { allow, deny, inherit } = bitsOf(given);
  const before = overwriteOf(channel, id);
  return {
    allow: ((before?.allow ?? 0n) & ~(deny | inherit)) | allow,
    deny: ((before?.deny ?? 0n) & ~(allow | inherit)) | deny,
  };
}

const idOf = (roleId: string | undefined, userId: string | undefined): string => roleId ?? userId ?? "";
