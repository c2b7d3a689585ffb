import { Type } from "typebox";
import { reasonArgument } from "../argument-schemas.ts";
import type { ChannelPlace, ChannelSpec, Requirement } from "../targets.ts";
import { threads } from "./kinds.ts";

/**
 * Which thread, or nothing for the one that the actor speaks in. Threads are not found by name: there are too many, and
 * most are archived.
 */
export const threadOrOwn = (which: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 120,
      description: `${which} Default: the one of this conversation. An id, a mention such as <#1>, or a link.`,
    }),
  );

/** What closing, opening and locking a thread are told. */
export const threadInput = Type.Object(
  { channel_id: threadOrOwn("Which thread."), reason: reasonArgument },
  { additionalProperties: false },
);

/** That thread, as a target. */
export const threadTarget = (needs: Requirement<ChannelPlace>) =>
  ({
    kind: "channel",
    argument: "channel_id",
    absent: "own",
    types: threads,
    needs,
  }) as const satisfies ChannelSpec;

/** https://docs.discord.com/developers/resources/channel#start-thread-from-message-json-params */
const archiveMinutes = [60, 1440, 4320, 10_080] as const;
export const archiveArgument = Type.Optional(
  Type.Enum([...archiveMinutes], {
    description: "After how many quiet minutes it leaves the channel list: 60, 1440, 4320 or 10080.",
  }),
);

export const threadName = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 100,
    pattern: "\\S",
    description: `${description} At most 100 characters.`,
  });
