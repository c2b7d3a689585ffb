import { PermissionFlagsBits } from "discord-api-types/v10";
import { channelOrOwn, messageArgument } from "../argument-schemas.ts";
import type { ChannelSpec, MessageSpec } from "../targets.ts";
import { readable } from "./kinds.ts";

/** The arguments by which a tool has one message named. */
export const whichMessage = {
  channel_id: channelOrOwn("The channel of the message."),
  message_id: messageArgument("Which message."),
};

/** A channel whose messages are read, whatever is then done to them. */
export const readChannel = {
  kind: "channel",
  argument: "channel_id",
  absent: "own",
  types: readable,
  needs: PermissionFlagsBits.ReadMessageHistory,
} as const satisfies ChannelSpec;

/** That message; for whoever can read the channel. */
export const messageThere = {
  kind: "message",
  argument: "message_id",
  in: "channel",
  absent: "error",
  needs: 0n,
} as const satisfies MessageSpec;
