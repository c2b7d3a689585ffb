import type { API } from "@discordjs/core";
import { AppError } from "../../errors.ts";
import { Lru } from "../../lru.ts";
import { isThread } from "../../permissions/compute.ts";
import type { ChannelFacts, GuildFacts, MemberFacts } from "../../permissions/facts.ts";
import type { DiscordReader, Located, PermissionFactsPort } from "../../tools/discord-port.ts";
import { abortable } from "../../waiting.ts";
import { isAnything } from "../fits.ts";
import { isThreads } from "../promised-shapes.ts";
import { ask } from "../rest/errors.ts";
import type { GuildState } from "./guild-state.ts";
import { memberFacts } from "./state-shapes.ts";

export interface FactsDeps {
  readonly state: GuildState;
  readonly reader: DiscordReader;
  /** Who somebody is in a server, now; the reader if not given. */
  readonly members?: Pick<DiscordReader, "member">;
  readonly api: API;
  /** Whether what the gateway told of this guild is complete and current: its shard is ready and its heartbeats are acknowledged. */
  readonly isTrusted: (guildId: string) => boolean;
  /** Whether changes of members arrive: Discord sends them with the members intent only. */
  readonly hearsMembers: () => boolean;
  readonly botUserId: () => Promise<string>;
}

export interface Facts extends PermissionFactsPort {
  /** Reads a guild by REST into the state when the gateway has not told of it, as after a resume. */
  load(guildId: string, signal: AbortSignal): Promise<GuildFacts>;
}

interface Loaded {
  readonly guild: GuildFacts;
  /** Without threads. */
  readonly channels: readonly ChannelFacts[];
}

const directChannelsBound = 2000;
/** A guild that changes faster than it can be read is answered from what was read last, and not kept. */
const loadAttempts = 3;

/** Facts from the gateway's state while it can be trusted, else read by REST each time: old facts would grant what was taken away. */
export function createFacts(deps: FactsDeps): Facts {
  const { state, reader, isTrusted, members = reader } = deps;
  const loading = new Map<string, Promise<Loaded>>();
  const directChannels = new Lru<ChannelFacts>(directChannelsBound);

  async function readGuild(guildId: string): Promise<Loaded> {
    const { signal } = new AbortController();
    for (let attempt = 1; ; attempt += 1) {
      const hasChanged = state.watch(`guild:${guildId}`);
      const [guild, channels, threads] = await Promise.all([
        reader.guild(guildId, signal),
        reader.guildChannels(guildId, signal),
        ask(signal, "threads", (s) => deps.api.guilds.getActiveThreads(guildId, { signal: s }), isThreads),
      ]).catch((error: unknown) => {
        hasChanged();
        throw error;
      });
      const changed = hasChanged();
      // Kept also while the shard resumes: the replay brings what came since, and a new session forgets it.
      if (!changed) state.store({ guild, channels: [...channels, ...threads.threads] });
      if (!changed || attempt >= loadAttempts)
        return {
          guild: state.guildFacts(guild),
          channels: channels.map((channel) => state.channelFacts(channel, guildId)),
        };
    }
  }

  function loadAll(guildId: string, signal: AbortSignal): Promise<Loaded> {
    const running = loading.get(guildId) ?? readGuild(guildId).finally(() => loading.delete(guildId));
    loading.set(guildId, running);
    return abortable(running, signal);
  }

  const load = async (guildId: string, signal: AbortSignal) => (await loadAll(guildId, signal)).guild;

  async function guild(guildId: string, signal: AbortSignal): Promise<GuildFacts> {
    if (!isTrusted(guildId)) return state.guildFacts(await reader.guild(guildId, signal));
    return state.guild(guildId) ?? (await load(guildId, signal));
  }

  async function channels(guildId: string, signal: AbortSignal): Promise<readonly ChannelFacts[]> {
    if (!isTrusted(guildId)) {
      const read = await reader.guildChannels(guildId, signal);
      return read.map((one) => state.channelFacts(one, guildId));
    }
    if (state.guild(guildId) !== null) return state.channels(guildId);
    return (await loadAll(guildId, signal)).channels;
  }

  function knownChannel(channelId: string): ChannelFacts | null {
    const known = state.channel(channelId);
    return known?.guildId && isTrusted(known.guildId) ? known : null;
  }

  async function channel(channelId: string, signal: AbortSignal): Promise<ChannelFacts> {
    const known = knownChannel(channelId);
    if (known !== null) return known;
    const direct = directChannels.get(channelId);
    if (direct !== undefined) return direct;
    const read = state.channelFacts(await reader.channel(channelId, signal));
    if (read.guildId === null) directChannels.set(channelId, read);
    return read;
  }

  async function member(guildId: string, userId: string, signal: AbortSignal): Promise<MemberFacts> {
    // Changes of the bot's own member always arrive.
    const isHeardOf = (deps.hearsMembers() || userId === state.botUserId) && isTrusted(guildId);
    const known = isHeardOf ? state.member(guildId, userId) : null;
    if (known !== null) return known;
    const hasChanged = state.watch(`member:${guildId}:${userId}`);
    try {
      const facts = memberFacts(userId, await members.member(guildId, userId, signal));
      if (isHeardOf && !hasChanged()) state.rememberMember(guildId, facts);
      return facts;
    } finally {
      hasChanged();
    }
  }

  async function isThreadMember(threadId: string, userId: string, signal: AbortSignal): Promise<boolean> {
    try {
      await ask(
        signal,
        "thread member",
        (s) => deps.api.threads.getMember(threadId, userId, { signal: s }),
        isAnything,
      );
      return true;
    } catch (error) {
      // 10003 is a thread that does not exist; any other "not found" says that the person is not in it.
      if (isAbsent(error) && error.data.discord_code !== 10003) return false;
      throw error;
    }
  }

  async function locate(channelId: string, userId: string, signal: AbortSignal): Promise<Located | null> {
    // Both are always sent and always waited for, or the time would tell which of them was needed.
    const [channelRead, membership] = await Promise.allSettled([
      reader.channel(channelId, signal),
      isThreadMember(channelId, userId, signal),
    ]);
    if (channelRead.status === "rejected") {
      if (isHidden(channelRead.reason)) return null;
      throw channelRead.reason;
    }
    const located = state.channelFacts(channelRead.value);
    // Of what is no thread Discord refuses to tell members, in words that matter to nobody.
    if (!isThread(located)) return { channel: located, isThreadMember: false };
    if (membership.status === "rejected") {
      // The thread went between the two answers.
      if (isAbsent(membership.reason)) return null;
      throw membership.reason;
    }
    return { channel: located, isThreadMember: membership.value };
  }

  return {
    botUserId: deps.botUserId,
    guild,
    channels,
    channel,
    knownChannel,
    locate,
    member,
    isThreadMember,
    load,
  };
}

const isAbsent = (error: unknown): error is AppError =>
  error instanceof AppError && error.code === "not_found";

const isHidden = (error: unknown): boolean =>
  isAbsent(error) || (error instanceof AppError && error.code === "permission_denied");
