import { type APIMessage, MessageFlags } from "discord-api-types/v10";
import type { AllowedMentions } from "../mentions.ts";
import { emptyMessage } from "./errors.ts";
import type { Form } from "./form.ts";

export interface MessageBody {
  readonly content: string | null;
  readonly embeds: APIMessage["embeds"] | null;
  readonly components: NonNullable<APIMessage["components"]> | null;
  readonly flags: number | null;
  readonly tts: boolean;
  readonly allowedMentions: AllowedMentions | null;
}

const settable =
  MessageFlags.SuppressEmbeds |
  MessageFlags.SuppressNotifications |
  MessageFlags.Ephemeral |
  MessageFlags.IsComponentsV2;

/** The fields that every way of writing a message has. Nothing is checked until the form is. */
export function readMessageBody(form: Form): MessageBody {
  const flags = form.integer("flags", { min: 0, max: 2 ** 31 - 1 });
  return {
    content: form.text("content", { max: 2000 }),
    embeds: readEmbeds(form),
    components: readComponents(form),
    flags: flags === null ? null : flags & settable,
    tts: form.flag("tts") ?? false,
    allowedMentions: readAllowedMentions(form),
  };
}

export function requireSomething(body: MessageBody): void {
  const nothing = (body.embeds ?? []).length === 0 && (body.components ?? []).length === 0;
  if (nothing && (body.content ?? "").trim() === "") throw emptyMessage();
}

function readAllowedMentions(form: Form): AllowedMentions | null {
  const part = form.part("allowed_mentions");
  if (part === null) return null;
  const names = (name: string) => (part.list(name, 100) ?? []).map(String);
  const allowed = {
    parse: names("parse"),
    users: names("users"),
    roles: names("roles"),
    repliedUser: part.flag("replied_user") ?? false,
  };
  for (const kind of ["users", "roles"] as const) {
    if (allowed.parse.includes(kind) && allowed[kind].length > 0) {
      part.fail(
        "parse",
        "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
        `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`,
      );
    }
  }
  return allowed;
}

// Embeds and components come back as they were sent: the OpenAPI contract of the tests checks their shape.
function readEmbeds(form: Form): APIMessage["embeds"] | null {
  const embeds = form.list("embeds", 10) as APIMessage["embeds"] | null;
  return embeds?.map((embed) => ({ ...embed, type: "rich" as NonNullable<typeof embed.type> })) ?? null;
}

function readComponents(form: Form): NonNullable<APIMessage["components"]> | null {
  const components = form.list("components", 40) as NonNullable<APIMessage["components"]> | null;
  if (components === null) return null;
  let last = 0;
  const number = <Part extends object>(part: Part): Part => {
    last += 1;
    const id = last;
    const inner =
      "components" in part && Array.isArray(part.components)
        ? { components: part.components.map(number) }
        : {};
    return { id, ...part, ...inner };
  };
  return components.map(number);
}
