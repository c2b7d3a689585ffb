import { type APIGuildForumChannel, ChannelFlags, PermissionFlagsBits } from "discord-api-types/v10";
import { botPermissions } from "./access.ts";
import type { RestRequest } from "./context.ts";
import { DiscordError } from "./errors.ts";
import type { Form } from "./form.ts";

const tagsBound = 20;
const appliedBound = 5;

/** A forum's own tags; a new one has no id. Null without the field. */
export function readTags(request: RestRequest, form: Form): APIGuildForumChannel["available_tags"] | null {
  const parts = form.parts("available_tags", tagsBound);
  if (parts === null) return null;
  return parts.map((part) => ({
    id: part.snowflake("id") ?? request.world.ids.next(),
    name: part.text("name", { min: 1, max: 50 }) ?? "",
    moderated: part.flag("moderated") ?? false,
    emoji_id: part.snowflake("emoji_id"),
    emoji_name: part.text("emoji_name", { max: 32 }),
  }));
}

/** Tags for a post: those of the forum only, those that are for moderators only by them, and one where one is required. */
export function requireTags(
  request: RestRequest,
  forum: APIGuildForumChannel,
  given: readonly string[],
): string[] {
  if (given.length === 0 && (forum.flags ?? 0) & ChannelFlags.RequireTag)
    throw new DiscordError(400, 40_067, "A tag is required to create a forum post in this channel");
  const mayModerate = (botPermissions(request, forum) & PermissionFlagsBits.ManageThreads) !== 0n;
  for (const id of given) {
    const tag = forum.available_tags.find((one) => one.id === id);
    if (tag === undefined) throw new DiscordError(404, 10_087, "Unknown Tag");
    if (tag.moderated && !mayModerate) throw new DiscordError(403, 50_013, "Missing Permissions");
  }
  return [...given];
}

export function readAppliedTags(form: Form): string[] | null {
  return form.list("applied_tags", appliedBound)?.map(String) ?? null;
}
