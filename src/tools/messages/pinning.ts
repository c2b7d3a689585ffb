import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { reasonArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import type { ChannelPlace, TargetSpecs } from "../targets.ts";
import { messageThere, readChannel, whichMessage } from "./one-message.ts";

/** What pinning and unpinning have in common. */
export const pinInput = Type.Object(
  {
    ...whichMessage,
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
    ...readChannel,
    needs: PermissionFlagsBits.ReadMessageHistory | PermissionFlagsBits.PinMessages,
  },
  message: messageThere,
} as const satisfies TargetSpecs;

export const pinAudience = (_input: unknown, { channel }: { readonly channel: ChannelPlace }) =>
  inChannel(channel);
