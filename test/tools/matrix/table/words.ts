import type { AnyChannel } from "../../../../src/simulator/discord/world.ts";
import { both, kindOf, type Needs, type Permission, type Scene } from "../expectation.ts";

/** In threads it is a permission of their own: https://docs.discord.com/developers/topics/threads#permissions */
export const writing =
  (...more: Permission[]) =>
  (channel: AnyChannel, scene: Scene): Needs =>
    kindOf(scene, channel) === "text"
      ? both("SendMessages", ...more)
      : both("SendMessagesInThreads", ...more);

/** Who has started a thread; null for other channels. */
export const makerOf = (channel: AnyChannel): string | null =>
  "owner_id" in channel && "thread_metadata" in channel ? (channel.owner_id ?? null) : null;
