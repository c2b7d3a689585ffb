import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { permissionNames } from "../../permissions/names.ts";
import { channelArgument, reasonArgument, roleArgument, userArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { nobody } from "../find-people.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { assertOne, named, overwritten } from "./overwrite-target.ts";
import { assertMayTouch, overwriteOf, touchedBits } from "./overwrites.ts";

export const channelOverwriteClear = defineTool({
  name: "discord_channel_overwrite_clear",
  title: "Clear permissions in a channel",
  description:
    "Removes everything that a channel or category says of its own about the permissions of a role or member, so that for them it is as in the server again.",
  family: "channels",
  kind: "destroy",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: Type.Optional(channelArgument("Where. Default: the channel of this conversation.")),
      role_id: Type.Optional(roleArgument("The role that it is about; not with user_id.")),
      user_id: Type.Optional(userArgument("Whom it is about, also who has left; not with role_id.")),
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    channel_id: Type.String(),
    user_id: Type.Optional(Type.String()),
    role_id: Type.Optional(Type.String()),
    role: Type.Optional(Type.String({ description: "The role's name." })),
    cleared: Type.Boolean(),
  }),
  targets: {
    channel: overwritten,
    role: { kind: "role", argument: "role_id", absent: "none", needs: 0n },
    user: { kind: "user", argument: "user_id", absent: "none", needs: 0n },
  },
  async check(_input, { channel, role, user }, authority) {
    assertOne(role, user);
    const former = overwriteOf(channel, role?.facts.id ?? user?.user.id ?? "");
    if (former === null) {
      if (user !== null && user.member === null) throw nobody(user.user.id);
      throw new AppError(
        "not_found",
        `${channel.actor.place} says nothing of its own about the permissions of ${named(role, user)}.`,
      );
    }
    await assertMayTouch(channel, touchedBits(former, null), authority);
  },
  question(_input, { channel, role, user }) {
    const former = overwriteOf(channel, role?.facts.id ?? user?.user.id ?? "");
    const parts = [
      ["allowed", former?.allow ?? 0n],
      ["denied", former?.deny ?? 0n],
    ] as const;
    const said = parts
      .filter(([, bits]) => bits !== 0n)
      .map(([how, bits]) => `${how}: ${permissionNames(bits).join(", ")}`);
    const now = said.length === 0 ? "" : ` (now ${said.join("; ")})`;
    return `Clear what ${channel.actor.place} says of its own about the permissions of ${named(role, user)}${now}?`;
  },
  audience: (_input, { channel }) => inChannel(channel),
  async run({ reason }, { channel, role, user }, context) {
    const id = role?.facts.id ?? user?.user.id ?? "";
    await context.change.deleteOverwrite(channel.facts.id, id, {
      signal: context.signal,
      reason: context.reason(reason),
    });
    const value = {
      channel_id: channel.facts.id,
      ...(role === null ? { user_id: id } : { role_id: id, role: role.facts.name }),
      cleared: true,
    };
    return { value, sources: [fromChannel(channel.facts.id)] };
  },
});
