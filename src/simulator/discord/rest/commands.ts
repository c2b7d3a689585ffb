import {
  type APIApplicationCommand,
  ApplicationCommandType,
  ApplicationIntegrationType,
} from "discord-api-types/v10";
import { isRecord } from "../json.ts";
import { reachGuild } from "./access.ts";
import { ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { DiscordError, invalidForm, missingAccess } from "./errors.ts";
import { Form } from "./form.ts";

const globalPath = "/applications/:applicationId/commands";
const ofGuild = "/applications/:applicationId/guilds/:guildId/commands";

export const commandRoutes: readonly Route[] = [
  { method: "GET", pattern: globalPath, handle: list },
  { method: "PUT", pattern: globalPath, handle: replace },
  { method: "POST", pattern: globalPath, handle: create },
  { method: "GET", pattern: ofGuild, handle: list },
  { method: "PUT", pattern: ofGuild, handle: replace },
  { method: "POST", pattern: ofGuild, handle: create },
];

/** The guild's id, or "" for the global commands. */
function reachScope(request: RestRequest): string {
  if (request.param("applicationId") !== request.world.applicationId) {
    throw new DiscordError(403, 20_012, "You are not authorized to perform this action on this application");
  }
  const guildId = request.param("guildId");
  if (guildId === "") return "";
  if (!request.world.guilds.has(guildId)) throw missingAccess();
  return reachGuild(request).id;
}

function list(request: RestRequest): RestReply {
  return ok(request.commands.get(reachScope(request)) ?? []);
}

/** The bulk overwrite: what is not in the list goes; a command of a known name keeps its id. */
function replace(request: RestRequest): RestReply {
  const scope = reachScope(request);
  if (!Array.isArray(request.body) || request.body.length > 100) {
    throw invalidForm({
      _errors: [{ code: "BASE_TYPE_BAD_LENGTH", message: "Must be between 0 and 100 in length." }],
    });
  }
  const former = request.commands.get(scope) ?? [];
  const commands = request.body.map((body: unknown) => makeCommand(request, scope, body, former));
  if (new Set(commands.map((command) => `${command.type} ${command.name}`)).size < commands.length) {
    throw invalidForm({
      _errors: [
        { code: "APPLICATION_COMMANDS_DUPLICATE_NAME", message: "Application command names must be unique" },
      ],
    });
  }
  request.commands.set(scope, commands);
  return ok(commands);
}

function create(request: RestRequest): RestReply {
  const scope = reachScope(request);
  const former = request.commands.get(scope) ?? [];
  const command = makeCommand(request, scope, request.body, former);
  const others = former.filter((other) => other.id !== command.id);
  request.commands.set(scope, [...others, command]);
  return { status: others.length === former.length ? 201 : 200, body: command };
}

function makeCommand(
  request: RestRequest,
  scope: string,
  body: unknown,
  former: readonly APIApplicationCommand[],
): APIApplicationCommand {
  const form = new Form(body);
  const name = form.required("name", form.text("name", { min: 1, max: 32 }));
  const type: ApplicationCommandType =
    form.integer("type", { min: 1, max: 4 }) ?? ApplicationCommandType.ChatInput;
  const description = form.text("description", { max: 100 }) ?? "";
  if (type === ApplicationCommandType.ChatInput) {
    if (!/^[-_\p{L}\p{N}]{1,32}$/u.test(name) || name !== name.toLowerCase()) {
      form.fail("name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
    }
    if (description === "") form.fail("description", "BASE_TYPE_REQUIRED", "This field is required");
  }
  const options = form.list("options", 25);
  form.check();
  const given = isRecord(body) ? body : {};
  const known = former.find((command) => command.name === name && command.type === type);
  return {
    id: known?.id ?? request.world.ids.next(),
    application_id: request.world.applicationId,
    version: request.world.ids.next(),
    default_member_permissions:
      given.default_member_permissions == null ? null : String(given.default_member_permissions),
    type,
    name,
    description,
    dm_permission: given.dm_permission !== false,
    contexts: (given.contexts as APIApplicationCommand["contexts"]) ?? null,
    integration_types: [ApplicationIntegrationType.GuildInstall],
    nsfw: false,
    ...(options === null || options.length === 0
      ? {}
      : { options: options as NonNullable<APIApplicationCommand["options"]> }),
    ...(scope === "" ? {} : { guild_id: scope }),
  };
}
