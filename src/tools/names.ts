import type { APIGuildMember } from "discord-api-types/v10";
import type { Actor } from "../actor.ts";
import { AppError } from "../errors.ts";
import type { GuildFacts, RoleFacts } from "../permissions/facts.ts";
import { isSnowflake } from "../snowflake.ts";
import { type Authority, plain } from "./authority.ts";

/** Candidates that an ambiguous name is answered with. */
const maxCandidates = 10;
const mentions = { channel: /^<#(\d+)>$/, user: /^<@!?(\d+)>$/, role: /^<@&(\d+)>$/ } as const;

/** The id that an argument is or mentions; null for a name. Throws AppError `invalid_arguments` for digits that are no id. */
export function idIn(kind: "channel" | "user" | "role", said: string): string | null {
  const text = said.trim();
  const link =
    kind === "channel"
      ? /^https:\/\/(?:\w+\.)?discord\.com\/channels\/(?:@me|\d+)\/(\d+)(?:\/\d+)?$/.exec(text)
      : null;
  const id = (mentions[kind].exec(text) ?? link)?.[1] ?? (/^\d+$/.test(text) ? text : null);
  if (id === null) {
    if (/^<[@#]/.test(text)) throw wrong(`${plain(text)} does not mention a ${kind}.`);
    return null;
  }
  if (!isSnowflake(id)) throw wrong(`${id.slice(0, 30)} is no Discord id: those have 15 to 20 digits.`);
  return id;
}

interface NamingChannels {
  readonly actor: Actor;
  readonly authority: Authority;
  /** Hears of the channels that an error names. */
  readonly onNamed: (channelId: string) => void;
}

/** The id of the channel of that name, among those that the actor can see. Throws `not_found`, or `invalid_arguments` with the candidates. */
export async function channelNamed(
  said: string,
  { actor, authority, onNamed }: NamingChannels,
): Promise<string> {
  const name = folded(said.replace(/^#/, ""));
  const none = new AppError("not_found", `There is no channel ${plain(said)} that can be seen from here.`);
  if (actor.guildId === null || name === "") throw none;
  const channels = await authority.visibleChannels();
  const found = channels.filter((channel) => folded(channel.name) === name);
  const [only, ...more] = found;
  if (only === undefined) throw none;
  if (more.length === 0) return only.id;
  const names = new Map(channels.map(({ id, name: ofChannel }) => [id, ofChannel]));
  throw ambiguous(
    said,
    found.map(({ id, name: called, parentId }) => {
      const category = parentId === null ? undefined : names.get(parentId);
      onNamed(id);
      if (category !== undefined && parentId !== null) onNamed(parentId);
      return `#${plain(called)} (${id}${category === undefined ? "" : `, in ${plain(category)}`})`;
    }),
  );
}

/** Undefined when there is none. Throws `invalid_arguments` with the candidates. */
export function roleNamed(said: string, guild: GuildFacts): RoleFacts | undefined {
  const name = folded(said.replace(/^@/, ""));
  const found = [...guild.roles.values()].filter((role) => folded(role.name.replace(/^@/, "")) === name);
  if (found.length > 1)
    throw ambiguous(
      said,
      found.map((role) => `@${plain(role.name.replace(/^@/, ""))} (${role.id})`),
    );
  return found[0];
}

/** The one member who is called so, of those that Discord found. Throws `not_found`, or `invalid_arguments` with the candidates. */
export function memberNamed(said: string, members: readonly APIGuildMember[]): APIGuildMember {
  const name = folded(said.replace(/^@/, ""));
  const called = ({ nick, user }: APIGuildMember) =>
    [nick, user.global_name, user.username].filter((one) => one != null);
  // A user name belongs to one person; what people call themselves does not.
  const exact =
    members.filter(({ user }) => folded(user.username) === name).length === 1
      ? members.filter(({ user }) => folded(user.username) === name)
      : members.filter((member) => called(member).some((one) => folded(one) === name));
  const [only, ...more] = exact;
  if (only !== undefined && more.length === 0) return only;
  const candidates = (exact.length > 1 ? exact : members).map(
    ({ nick, user }) => `@${plain(nick ?? user.global_name ?? user.username)} (${user.username}, ${user.id})`,
  );
  if (candidates.length > 0) throw ambiguous(said, candidates);
  throw new AppError("not_found", `There is nobody called ${plain(said)} in this server.`);
}

export function missing(argument: string | null): AppError {
  return new AppError("invalid_arguments", `${argument ?? "An argument"} is missing.`, {
    data: { path: argument ?? "", problem: "is missing" },
  });
}

function ambiguous(said: string, candidates: readonly string[]): AppError {
  const shown = candidates.slice(0, maxCandidates);
  const more = candidates.length > shown.length ? `, and ${candidates.length - shown.length} more` : "";
  return wrong(`${plain(said)} could be ${shown.join(", ")}${more}; give the id.`, { candidates: shown });
}

const wrong = (sentence: string, data: Readonly<Record<string, unknown>> = {}): AppError =>
  new AppError("invalid_arguments", sentence, { data });

const folded = (name: string): string => name.trim().normalize("NFKC").toLowerCase();
