import type { API } from "@discordjs/core";
import {
  InteractionType,
  InteractionResponseType as Kind,
  MessageFlags,
  type RESTPostAPIInteractionCallbackJSONBody,
} from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import type { Approval } from "../../agent/approvals.ts";
import { AppError } from "../../errors.ts";
import { verdictMessage } from "./verdicts.ts";

const Id = Type.String({ pattern: "^[0-9]{1,20}$" });
const Person = Type.Object({ id: Id });

/** What we look at of an interaction, by the gateway and by webhook alike. */
const Interaction = Type.Object({
  id: Id,
  application_id: Id,
  type: Type.Integer(),
  token: Type.String({ minLength: 1, maxLength: 1000 }),
  data: Type.Optional(Type.Object({ custom_id: Type.Optional(Type.String()) })),
  message: Type.Optional(Type.Object({ id: Id, channel_id: Id })),
  member: Type.Optional(Type.Object({ user: Person })),
  user: Type.Optional(Person),
});
export type Interaction = Static<typeof Interaction>;

const shape = Compile(Interaction);

/** Throws AppError `invalid_data`. */
export function readInteraction(body: unknown): Interaction {
  if (shape.Check(body)) return body;
  throw new AppError("invalid_data", "This is no interaction as Discord sends it.", { data: { path: "" } });
}

export type Answer =
  /** Nothing to be seen yet: the rest follows. */
  | { readonly kind: "deferred" }
  /** The question's message shows the verdict. */
  | { readonly kind: "verdict"; readonly approval: Approval }
  /** Only who pressed sees it. */
  | { readonly kind: "private"; readonly text: string }
  /** No suggestions for a command that we do not have. */
  | { readonly kind: "choices" };

/** The first answer, as it goes in a callback or in the response to a webhook. */
export function callbackOf(answer: Answer): RESTPostAPIInteractionCallbackJSONBody {
  switch (answer.kind) {
    case "deferred":
      return { type: Kind.DeferredMessageUpdate };
    case "verdict":
      return { type: Kind.UpdateMessage, data: verdictMessage(answer.approval) };
    case "private":
      return { type: Kind.ChannelMessageWithSource, data: privateMessage(answer.text) };
    case "choices":
      return { type: Kind.ApplicationCommandAutocompleteResult, data: { choices: [] } };
    default:
      return answer satisfies never;
  }
}

/** Sends the first answer. Discord takes it for three seconds. */
export async function answerFirst(
  api: API,
  { id, token }: Interaction,
  answer: Answer,
  signal: AbortSignal,
): Promise<void> {
  const { interactions } = api;
  switch (answer.kind) {
    case "deferred":
      return interactions.deferMessageUpdate(id, token, {}, { signal });
    case "verdict":
      return interactions.updateMessage(id, token, verdictMessage(answer.approval), { signal });
    case "private":
      return interactions.reply(id, token, privateMessage(answer.text), { signal });
    case "choices":
      return interactions.createAutocompleteResponse(id, token, { choices: [] }, { signal });
    default:
      return answer satisfies never;
  }
}

/** Sends what follows a deferred one. Discord takes it for fifteen minutes. */
export async function answerLate(
  api: API,
  { application_id: applicationId, token }: Interaction,
  answer: Answer,
  signal: AbortSignal,
): Promise<void> {
  if (answer.kind === "verdict")
    await api.interactions.editReply(applicationId, token, verdictMessage(answer.approval), "@original", {
      signal,
    });
  if (answer.kind === "private")
    await api.interactions.followUp(applicationId, token, privateMessage(answer.text), { signal });
}

function privateMessage(content: string) {
  return { content, flags: MessageFlags.Ephemeral, allowed_mentions: { parse: [] } };
}

/** Who pressed or wrote: in a server a member, elsewhere a user. */
export const actingUserId = ({ member, user }: Interaction): string | null =>
  member?.user.id ?? user?.id ?? null;

export const isAutocomplete = ({ type }: Interaction): boolean =>
  type === InteractionType.ApplicationCommandAutocomplete;
export const isPress = ({ type }: Interaction): boolean => type === InteractionType.MessageComponent;
