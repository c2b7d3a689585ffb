import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { inChannel } from "../audiences.ts";
import { channelArgument, messageArgument, reasonArgument } from "../schemas.ts";
import type { ChannelPlace, TargetSpecs } from "../targets.ts";
import { readable } from "./kinds.ts";

/** What pinning and unpinning have in common. */
export const pinInput = Type.Object(
  {
    channel_id: Type.Optional(
      channelArgument("The channel of the message. Default: the one of this conversation."),
    ),
    message_id: messageArgument("Which message."),
    reason: reasonArgument,
  },
  { additionalProperties: false },
);

export const pinOutput = Type.Object({
  message_id: Type.String(),
  channel_id: Type.String(),
  pinned: Type.Boolean(),
});

/**
 * Since 2026-02-23 it takes PIN_MESSAGES, and MANAGE_MESSAGES is not enough:
 * https://docs.discord.com/developers/change-log#permission-changes-going-into-effect-february-2026
 */
export const pinTargets = {
  channel: {
    kind: "channel",
    argument: "channel_id",
    absent: "own",
    types: readable,
    needs: PermissionFlagsBits.ReadMessageHistory | PermissionFlagsBits.PinMessages,
  },
  message: { kind: "message", argument: "message_id", in: "channel", absent: "error", needs: 0n },
} as const satisfies TargetSpecs;

export const pinAudience = (_input: unknown, { channel }: { readonly channel: ChannelPlace }) =>
  inChannel(channel);
