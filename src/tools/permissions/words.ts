import { PermissionFlagsBits } from "discord-api-types/v10";
import type { Step } from "../../permissions/explain.ts";
import type { GuildFacts } from "../../permissions/facts.ts";
import { permissionNames } from "../../permissions/names.ts";
import { plain, quoted } from "../authority.ts";

export interface Spoken {
  readonly guild: GuildFacts;
  /** "@ana". */
  readonly name: string;
  /** "#general", or the server's name. */
  readonly place: string;
  /** "Send Messages". */
  readonly permission: string;
  /** The channel whose overwrites count: of a thread, the one that it belongs to. */
  readonly overwritesOf: string;
}

/** One step of an explanation, as a sentence. */
export function inWords(step: Step, { guild, name, place, permission, overwritesOf }: Spoken): string {
  switch (step.by) {
    case "owner":
      return `${name} owns the server, and the owner may do everything.`;
    case "administrator":
      return `${roleName(guild, step.roleId)} gives Administrator, which passes over everything else.`;
    case "role":
      return `${roleName(guild, step.roleId)} gives ${permission} in the server.`;
    case "no_role":
      return `No role of ${name}, @everyone included, gives ${permission} in the server.`;
    case "overwrite": {
      const whom = step.of === "member" ? `${name} themselves` : roleName(guild, step.id);
      return `${overwritesOf} ${step.effect === "allow" ? "allows" : "denies"} ${permission} to ${whom}.`;
    }
    case "never_by_overwrite":
      return "A channel makes nobody an administrator, whatever it allows.";
    case "implied": {
      const missing = permissionNames(PermissionFlagsBits[step.missing]).join(", ");
      return `Without ${missing} in ${place}, ${permission} does not count there.`;
    }
    case "timeout":
      return `${name} is in time-out until ${new Date(step.until).toISOString()}, and may only look and read meanwhile.`;
    case "thread":
      return threadWords[step.reason](name, place);
    case "elsewhere":
      return `${place} is not in this server.`;
    default:
      return step satisfies never;
  }
}

const threadWords = {
  send_messages: (_name: string, place: string) =>
    `${place} is a thread, where Send Messages in Threads counts in place of Send Messages.`,
  not_a_member: (name: string, place: string) =>
    `${place} is a private thread to which ${name} was not added, and they may not manage its threads either.`,
  no_parent: (_name: string, place: string) =>
    `The channel that the thread ${place} belongs to is not known.`,
} as const;

function roleName(guild: GuildFacts, id: string): string {
  if (id === guild.id) return "@everyone";
  return `the role ${quoted(guild.roles.get(id)?.name ?? id)}`;
}

/** A name as a place of a sentence. */
export const hash = (name: string): string => `#${plain(name)}`;
