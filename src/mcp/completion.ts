import { type Static, type TSchema, Type } from "typebox";
import { Compile } from "typebox/compile";
import { type Actor, nowhere } from "../actor.ts";
import { toAppError } from "../errors.ts";
import { isSnowflake } from "../snowflake.ts";
import type { OwnConversations } from "./own-conversations.ts";
import type { McpDeps } from "./ports.ts";
import { promptArguments } from "./prompts.ts";
import type { By, Reading } from "./reading.ts";
import { templates } from "./resource-list.ts";
import type { Completing, Surface } from "./surface.ts";
import { actorOf, assertThere } from "./tools.ts";

/** Of channels and people; of servers, each of which costs finding out whether the person belongs to it. */
const suggestions = 25;
const suggestedGuilds = 10;

const channelsIn = reader(
  Type.Object({
    channels: Type.Array(
      Type.Object({ channel_id: Type.String(), name: Type.Union([Type.String(), Type.Null()]) }),
    ),
  }),
);
const membersIn = reader(
  Type.Object({ members: Type.Array(Type.Object({ user_id: Type.String(), username: Type.String() })) }),
);

type Deps = Pick<McpDeps, "rules" | "places" | "guildNames">;
type Find = (said: string, actor: Actor, by: By, guildId: string | null) => Promise<readonly string[]>;

/**
 * What is found by name: where an address takes an id, the ids of what is named so; in prompts, whose words are read by
 * people, the names. Nothing is found but what the person could list.
 */
export function completionSurface(
  deps: Deps,
  reading: Reading,
  conversations: OwnConversations,
): Pick<Surface, "complete"> {
  async function channels(said: string, actor: Actor, by: By, guildId: string | null) {
    const name = said.replace(/^#/, "").slice(0, 100);
    const input = { limit: suggestions, ...(name === "" ? {} : { name }) };
    return named(reading, "discord_channels_list", { input, actor, by, guildId }, channelsIn);
  }

  async function members(said: string, actor: Actor, by: By, guildId: string | null) {
    const query = said.replace(/^@/, "").trim().slice(0, 100);
    const input = { limit: suggestions, ...(query === "" ? {} : { query }) };
    return named(reading, "discord_members_search", { input, actor, by, guildId }, membersIn);
  }

  const finders: Readonly<Record<string, Find>> = {
    guild_id: (said, actor, by) => guilds(deps, said, actor, by),
    channel_id: async (...asked) => (await channels(...asked))?.channels.map((one) => one.channel_id) ?? [],
    user_id: async (...asked) => (await members(...asked))?.members.map((one) => one.user_id) ?? [],
    conversation_id: (said, _actor, by) => conversationIds(conversations, said, by),
    channel: async (...asked) =>
      (await channels(...asked))?.channels.flatMap(({ name }) => (name === null ? [] : [`#${name}`])) ?? [],
    person: async (...asked) => (await members(...asked))?.members.map((one) => `@${one.username}`) ?? [],
    since: async (said) =>
      ["1 hour ago", "4 hours ago", "today", "yesterday", "3 days ago", "1 week ago"].filter(
        beginsWith(said),
      ),
    hours: async (said) => ["24", "48", "72", "168"].filter(beginsWith(said)),
  };

  return {
    complete(asked, by) {
      const { argument, context } = asked;
      if (!isOurs(asked)) return null;
      const find = Object.hasOwn(finders, argument.name) ? finders[argument.name] : undefined;
      if (find === undefined) return Promise.resolve([]);
      const actor = actorOf(by.caller);
      const guildId = context?.arguments?.guild_id ?? actor.guildId;
      return find(argument.value, actor, by, guildId);
    },
  };
}

function reader<Schema extends TSchema>(schema: Schema) {
  const validator = Compile(schema);
  return (value: unknown): Static<Schema> | null => (validator.Check(value) ? value : null);
}

/** Whether there is such an argument of a template or a prompt of ours. */
function isOurs({ ref, argument }: Completing): boolean {
  if (ref.type === "ref/prompt") return promptArguments(ref.name).includes(argument.name);
  const template = templates.find(({ uriTemplate }) => uriTemplate === ref.uri);
  return template?.uriTemplate.includes(`{${argument.name}}`) ?? false;
}

interface Asked {
  readonly input: object;
  readonly actor: Actor;
  readonly by: By;
  readonly guildId: string | null;
}

/** Null where there is no server, or the tool is not the person's to call: a suggestion is no reason to fail. */
async function named<Found>(
  reading: Reading,
  toolName: string,
  { input, actor, by, guildId }: Asked,
  read: (value: unknown) => Found | null,
): Promise<Found | null> {
  if (guildId === null || !isSnowflake(guildId)) return null;
  try {
    return read((await reading.tool(toolName, input, reading.inGuild(guildId, actor, by), by)).value);
  } catch (error) {
    return quietly(error, by, null);
  }
}

/** By the beginning of the id, or by a part of the name; of those alone to which the person belongs. */
async function guilds(deps: Deps, said: string, actor: Actor, by: By): Promise<readonly string[]> {
  const { caller, signal } = by;
  if (!caller.principal.scopes.has("tools")) return [];
  if (caller.session !== null) return actor.guildId?.startsWith(said) ? [actor.guildId] : [];
  const fits = ({ id, name }: { id: string; name: string }) =>
    id.startsWith(said) || name.toLowerCase().includes(said.toLowerCase());
  const found: { id: string; name: string }[] = [];
  for (const guild of deps.guildNames()) {
    if (found.length === suggestedGuilds) break;
    if (fits(guild)) found.push(guild);
  }
  const own = await Promise.all(
    found.map(async ({ id }) => {
      try {
        deps.rules.assertMayOpen(caller.principal, { userId: actor.userId, guildId: id });
        await assertThere(deps, { ...actor, guildId: id, channelId: nowhere }, signal);
        return [id];
      } catch (error) {
        return quietly(error, by, []);
      }
    }),
  );
  return own.flat();
}

async function conversationIds(conversations: OwnConversations, said: string, by: By) {
  const own = await conversations.list(by);
  return own
    .filter(({ id, channelId }) => id.startsWith(said) || channelId.startsWith(said))
    .map(({ id }) => id);
}

const beginsWith = (said: string) => (value: string) => value.startsWith(said.trim().toLowerCase());

/** What is refused is not suggested; what is a fault of ours is one. */
function quietly<Value>(error: unknown, { signal }: By, none: Value): Value {
  signal.throwIfAborted();
  if (toAppError(error).code === "internal_error") throw error;
  return none;
}
