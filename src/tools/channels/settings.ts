import { ChannelType, ThreadAutoArchiveDuration } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { AppError } from "../../errors.ts";
import { excerpt } from "../question.ts";
import { channelKind } from "./kinds.ts";

const { GuildText, GuildAnnouncement, GuildVoice, GuildStageVoice, GuildForum, GuildMedia } = ChannelType;
const withPosts: readonly ChannelType[] = [GuildForum, GuildMedia];
const written: readonly ChannelType[] = [GuildText, GuildAnnouncement, ...withPosts];
const spoken: readonly ChannelType[] = [GuildVoice, GuildStageVoice];
const maxTopic = 1024;
const archiveMinutes = [
  ThreadAutoArchiveDuration.OneHour,
  ThreadAutoArchiveDuration.OneDay,
  ThreadAutoArchiveDuration.ThreeDays,
  ThreadAutoArchiveDuration.OneWeek,
] as const;

/** https://docs.discord.com/developers/resources/channel#modify-channel */
export const channelSettings = {
  topic: Type.Optional(
    Type.String({
      maxLength: 4096,
      description:
        "What it is for; empty for none. At most 1024 characters, in forum and media channels 4096.",
    }),
  ),
  slow_mode_seconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 21_600,
      description: "Seconds between messages of one person, at most 21600 (6 hours); 0 for none.",
    }),
  ),
  age_restricted: Type.Optional(Type.Boolean({ description: "Whether it is for adults alone." })),
  bitrate: Type.Optional(
    Type.Integer({
      minimum: 8000,
      maximum: 384_000,
      description: "Of voice and stage channels, in bits a second: 8000 to 96000, more in boosted servers.",
    }),
  ),
  user_limit: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 10_000,
      description:
        "How many people fit in: of voice channels up to 99, of stages up to 10000; 0 for no limit.",
    }),
  ),
  archive_after_minutes: Type.Optional(
    Type.Enum([...archiveMinutes], {
      description: "After how long without messages its new threads are archived: 60, 1440, 4320 or 10080.",
    }),
  ),
};

const Settings = Type.Object(channelSettings);
export type ChannelSettings = Static<typeof Settings>;
type Name = keyof typeof channelSettings;

/** Which kinds of channel have it. */
const having: Readonly<Record<Name, readonly ChannelType[]>> = {
  topic: written,
  slow_mode_seconds: [GuildText, ...withPosts, ...spoken],
  age_restricted: [...written, ...spoken],
  bitrate: spoken,
  user_limit: spoken,
  archive_after_minutes: written,
};

/** Throws AppError `invalid_arguments` for what this kind of channel does not have, or has a smaller limit for. */
export function assertFits(type: ChannelType, given: ChannelSettings): void {
  const kind = channelKind(type);
  for (const name of namesOf(given))
    if (!having[name].includes(type))
      throw wrong(
        name,
        `A channel of the kind ${kind} has no ${name}; it is for: ${having[name].map(channelKind).join(", ")}.`,
      );
  if ((given.topic?.length ?? 0) > maxTopic && !withPosts.includes(type))
    throw wrong("topic", `The topic of a channel of the kind ${kind} has at most ${maxTopic} characters.`);
  if ((given.user_limit ?? 0) > 99 && type === GuildVoice)
    throw wrong("user_limit", "A voice channel has room for at most 99 people, or no limit (0).");
}

interface Body {
  topic?: string;
  rate_limit_per_user?: number;
  nsfw?: boolean;
  bitrate?: number;
  user_limit?: number;
  default_auto_archive_duration?: ThreadAutoArchiveDuration;
}

/** As Discord's API calls them; what was not given is left out. */
export function settingsBody(given: ChannelSettings) {
  const body: Body = {};
  if (given.topic !== undefined) body.topic = given.topic;
  if (given.slow_mode_seconds !== undefined) body.rate_limit_per_user = given.slow_mode_seconds;
  if (given.age_restricted !== undefined) body.nsfw = given.age_restricted;
  if (given.bitrate !== undefined) body.bitrate = given.bitrate;
  if (given.user_limit !== undefined) body.user_limit = given.user_limit;
  if (given.archive_after_minutes !== undefined)
    body.default_auto_archive_duration = given.archive_after_minutes;
  return body;
}

/** In the words of a question: `topic “Boats”, slow mode 5 s`. */
export function settingsInWords(given: ChannelSettings & { readonly name?: string }): string {
  const { name, topic, slow_mode_seconds: slow, age_restricted: adult } = given;
  return [
    ...(name === undefined ? [] : [`name ${excerpt(name)}`]),
    ...(topic === undefined ? [] : [topic === "" ? "no topic" : `topic ${excerpt(topic)}`]),
    ...(slow === undefined ? [] : [slow === 0 ? "no slow mode" : `slow mode ${slow} s`]),
    ...(adult === undefined ? [] : [adult ? "for adults alone" : "for all ages"]),
    ...(given.bitrate === undefined ? [] : [`bitrate ${given.bitrate}`]),
    ...(given.user_limit === undefined ? [] : [`at most ${given.user_limit || "any number of"} people`]),
    ...(given.archive_after_minutes === undefined
      ? []
      : [`threads archived after ${given.archive_after_minutes} minutes`]),
  ].join(", ");
}

/** Of what was given, in the schema's order. */
export function namesOf(given: ChannelSettings): readonly Name[] {
  const names: readonly Name[] = [
    "topic",
    "slow_mode_seconds",
    "age_restricted",
    "bitrate",
    "user_limit",
    "archive_after_minutes",
  ];
  return names.filter((name) => given[name] !== undefined);
}

export const channelName = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 100,
    pattern: "\\S",
    description: `${description} At most 100 characters; text channels have no capitals and no spaces.`,
  });

export const categoryInCategory = (): AppError =>
  wrong("category_id", "A category cannot be in another one.");

const wrong = (path: string, sentence: string): AppError =>
  new AppError("invalid_arguments", sentence, { data: { path, problem: sentence } });
