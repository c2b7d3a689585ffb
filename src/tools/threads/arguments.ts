import { Type } from "typebox";

/** Threads are not found by name: there are too many, and most are archived. */
export const threadArgument = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 120,
    description: `${description} An id, a mention such as <#1>, or a link.`,
  });

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
