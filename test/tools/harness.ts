import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import type { Actor } from "../../src/actor.ts";
import type { ToolPolicy } from "../../src/config/tool-policy.ts";
import { AppError } from "../../src/errors.ts";
import type { ChannelFacts, GuildFacts, MemberFacts, RoleFacts } from "../../src/permissions/facts.ts";
import { toActor } from "../../src/tools/audiences.ts";
import type {
  DiscordReader,
  DiscordWriter,
  Located,
  PermissionFactsPort,
} from "../../src/tools/discord-port.ts";
import { createFlow } from "../../src/tools/flow.ts";
import { createPolicies } from "../../src/tools/policy.ts";
import type { AuditRow, Files, MemoryStore, SentMessages } from "../../src/tools/ports.ts";
import type { Registry, RegistryOptions } from "../../src/tools/registry.ts";
import type { TargetSpecs } from "../../src/tools/targets.ts";
import { type ChangeContext, defineTool, type Family, type Tool } from "../../src/tools/tool.ts";
import { createCheckedRegistry } from "./checked.ts";

export const ids = {
  guild: "300000000000000001",
  general: "300000000000000002",
  hidden: "300000000000000003",
  ana: "300000000000000011",
  ben: "300000000000000012",
  bot: "300000000000000013",
  unknown: "300000000000000099",
} as const;

export const ana: Actor = {
  kind: "user",
  userId: ids.ana,
  guildId: ids.guild,
  channelId: ids.general,
};

const { ViewChannel, ReadMessageHistory } = PermissionFlagsBits;
export const reading = ViewChannel | ReadMessageHistory;

/** The facts of a small guild, which a test may change. */
export class Facts implements PermissionFactsPort {
  everyone = reading;
  /** Names of the questions, in their order. */
  readonly asked: string[] = [];
  failure: Error | null = null;
  /** So many of the next questions get no answer. */
  failures = 0;
  /** Whether the gateway's state can be trusted. */
  isTrusted = true;
  requiresMfa = false;
  readonly guilds = new Set<string>([ids.guild]);
  readonly roles = new Map<string, RoleFacts>();
  readonly channelFacts = new Map<string, ChannelFacts>();
  readonly members = new Map<string, MemberFacts>();
  readonly threadMembers = new Set<string>();

  constructor() {
    this.channelFacts.set(ids.general, channel(ids.general, { name: "general" }));
    this.members.set(ids.ana, member(ids.ana, { name: "ana" }));
    this.members.set(ids.bot, member(ids.bot, { name: "pilot" }));
  }

  async botUserId(): Promise<string> {
    this.#ask("bot");
    return ids.bot;
  }

  async guild(guildId: string): Promise<GuildFacts> {
    this.#ask("guild");
    if (!this.guilds.has(guildId)) throw new AppError("not_found", "Discord knows no such server.");
    const everyone = role(guildId, { name: "@everyone", permissions: this.everyone });
    return {
      id: guildId,
      name: "Harbour",
      ownerId: ids.unknown,
      roles: new Map([[guildId, everyone], ...this.roles]),
      requiresMfa: this.requiresMfa,
      verificationLevel: 0,
    };
  }

  async channels(guildId: string): Promise<readonly ChannelFacts[]> {
    this.#ask("channels");
    return [...this.channelFacts.values()].filter((one) => one.guildId === guildId && one.thread === null);
  }

  knownChannel(channelId: string): ChannelFacts | null {
    return this.isTrusted && this.failure === null ? (this.channelFacts.get(channelId) ?? null) : null;
  }

  async locate(channelId: string, userId: string): Promise<Located | null> {
    this.#ask("locate");
    const found = this.channelFacts.get(channelId);
    return found === undefined
      ? null
      : { channel: found, isThreadMember: this.threadMembers.has(`${channelId} ${userId}`) };
  }

  async channel(channelId: string): Promise<ChannelFacts> {
    this.#ask("channel");
    return found(this.channelFacts.get(channelId), "channel");
  }

  async member(_guildId: string, userId: string): Promise<MemberFacts> {
    this.#ask("member");
    return found(this.members.get(userId), "member");
  }

  async isThreadMember(threadId: string, userId: string): Promise<boolean> {
    this.#ask("thread member");
    return this.threadMembers.has(`${threadId} ${userId}`);
  }

  #ask(what: string): void {
    this.asked.push(what);
    if (this.failure !== null) throw this.failure;
    if (this.failures === 0) return;
    this.failures -= 1;
    throw new AppError("discord_unavailable", "No answer.");
  }
}

export function channel(id: string, part: Partial<ChannelFacts> = {}): ChannelFacts {
  return {
    id,
    guildId: ids.guild,
    name: "",
    type: ChannelType.GuildText,
    parentId: null,
    position: 0,
    slowMode: 0,
    isAgeRestricted: false,
    overwrites: [],
    recipientIds: [],
    thread: null,
    ...part,
  };
}

export function member(userId: string, part: Partial<MemberFacts> = {}): MemberFacts {
  return { userId, roleIds: [], timedOutUntil: null, joinedAt: 0, isPending: false, ...part };
}

export function role(id: string, part: Partial<RoleFacts> = {}): RoleFacts {
  return { id, name: id, permissions: 0n, position: 0, isManaged: false, ...part };
}

export const deny = (id: string, deny: bigint) => ({ id, type: "member", allow: 0n, deny }) as const;
export const denyRole = (id: string, deny: bigint) => ({ id, type: "role", allow: 0n, deny }) as const;

function found<Fact>(fact: Fact | undefined, what: string): Fact {
  if (fact === undefined) throw new AppError("not_found", `Discord knows no such ${what}.`);
  return fact;
}

const unused = () => Promise.reject(new Error("This test asks Discord nothing."));
export const noDiscord: DiscordReader = {
  user: unused,
  member: unused,
  searchMembers: unused,
  members: unused,
  channel: unused,
  guild: unused,
  guildChannels: unused,
  guildRoles: unused,
  guildEmojis: unused,
  messages: unused,
  message: unused,
  searchMessages: unused,
  pins: unused,
  reactions: unused,
  activeThreads: unused,
  archivedThreads: unused,
  threadMembers: unused,
  bans: unused,
  ban: unused,
  auditLog: unused,
};
export const noChanges: DiscordWriter = {
  createMessage: unused,
  editMessage: unused,
  deleteMessage: unused,
  bulkDeleteMessages: unused,
  pinMessage: unused,
  unpinMessage: unused,
  addReaction: unused,
  removeOwnReaction: unused,
  createChannel: unused,
  editChannel: unused,
  moveChannels: unused,
  deleteChannel: unused,
  setOverwrite: unused,
  deleteOverwrite: unused,
  createThread: unused,
  createForumPost: unused,
  addThreadMember: unused,
  removeThreadMember: unused,
  editMember: unused,
  kickMember: unused,
  banUser: unused,
  unbanUser: unused,
  createRole: unused,
  editRole: unused,
  moveRoles: unused,
  deleteRole: unused,
  giveRole: unused,
  takeRole: unused,
  openDirectMessage: unused,
};
export const noFiles: Files = { fetch: unused, attachment: unused };
/** Any address leads to the same small file. */
export const anyFiles: Files = {
  fetch: async () => ({ bytes: new TextEncoder().encode("Ahoy"), type: "text/plain" }),
  attachment: async () => ({ bytes: new TextEncoder().encode("Ahoy"), isWhole: true }),
};
export const noMemories: MemoryStore = { add: unused, list: unused, remove: unused, removeAll: unused };

/** Everything is on, and only what destroys asks. */
export const allOn: ToolPolicy = {
  tools: ["all"],
  writes: "run",
  privateAnswers: "ask",
  moderatorsUse2fa: false,
  directMessages: "self",
};

export class Sent implements SentMessages {
  readonly users = new Map<string, string>();
  readonly times = new Map<string, number>();

  async record({ messageId, channelId, userId, at }: Parameters<SentMessages["record"]>[0]): Promise<void> {
    this.users.set(messageId, userId);
    this.times.set(`${channelId} ${userId}`, at);
  }

  async userOf(messageId: string): Promise<string | null> {
    return this.users.get(messageId) ?? null;
  }

  async lastAt(channelId: string, userId: string): Promise<number | null> {
    return this.times.get(`${channelId} ${userId}`) ?? null;
  }
}

export interface Bench {
  readonly registry: Registry;
  readonly facts: Facts;
  readonly audit: AuditRow[];
  readonly counted: string[];
}

export function bench(
  tools: readonly Tool[],
  options: Partial<RegistryOptions> & { readonly policy?: Partial<ToolPolicy> } = {},
): Bench {
  const facts = new Facts();
  const audit: AuditRow[] = [];
  const counted: string[] = [];
  const { policy = {}, now = Date.now, ...rest } = options;
  const policies = createPolicies({ ...allOn, ...policy });
  const registry = createCheckedRegistry({
    tools,
    discord: noDiscord,
    change: noChanges,
    memories: noMemories,
    files: noFiles,
    sent: new Sent(),
    facts,
    policies,
    flow: createFlow({ facts, policies, now }),
    limits: { changes: { take: async () => {} }, lookups: { take: async () => {} } },
    audit: { append: async (row) => void audit.push(row), collect: (row) => void audit.push(row) },
    metrics: { toolCall: (name, verdict) => counted.push(`${name} ${verdict}`) },
    now,
    timeoutMs: 30_000,
    resultBytes: 16 * 1024,
    ...rest,
  });
  return { registry, facts, audit, counted };
}

interface ProbePart {
  readonly name?: string;
  readonly targets?: TargetSpecs;
  readonly kind?: Tool["kind"];
  readonly family?: Family;
  readonly asks?: "never" | "elsewhere" | "always";
  readonly repeatable?: boolean;
  readonly isCore?: true;
  readonly check?: Tool["check"];
}

/** A tool that runs what a test gives it; what its arguments name is up to the test too. */
export function toolThat(
  run: (context: ChangeContext, input: { readonly n?: number | undefined }) => unknown,
  { name = "probe", kind = "read", repeatable = true, targets = {}, ...part }: ProbePart = {},
): Tool {
  const base = {
    name,
    title: "Probe",
    description: "Runs what a test gives it.",
    family: part.family ?? "server",
    repeatable,
    targets,
    ...(part.isCore === undefined ? {} : { isCore: part.isCore }),
    ...(part.check === undefined ? {} : { check: part.check }),
    input: Type.Object(
      {
        n: Type.Optional(Type.Integer({ minimum: 1, maximum: 3 })),
        channel_id: Type.Optional(Type.String()),
        user_id: Type.Optional(Type.String()),
        role_id: Type.Optional(Type.String()),
        guild_id: Type.Optional(Type.String()),
      },
      { additionalProperties: false },
    ),
    output: Type.Unknown(),
  } as const;
  if (kind === "read") {
    return defineTool({
      ...base,
      kind,
      run: async (input, _places, context) => ({
        // A reading tool is given nothing that changes anything; what a probe asks for beyond it is its own fault.
        value: await run(context as ChangeContext, input),
        sources: ["channel:1"],
      }),
    });
  }
  return defineTool({
    ...base,
    kind,
    ...(part.asks === undefined ? {} : { asks: part.asks }),
    question: () => "Probe it?",
    audience: (_input, _places, actor) => toActor(actor),
    run: async (input, _places, context) => ({ value: await run(context, input), sources: ["channel:1"] }),
  });
}

export function call(
  registry: Registry,
  part: Partial<Parameters<Registry["call"]>[0]> = {},
): ReturnType<Registry["call"]> {
  return registry.call({
    toolName: "probe",
    input: {},
    actor: ana,
    activeTools: [],
    sessionId: "s_1",
    signal: new AbortController().signal,
    ...part,
  });
}

/** The data between the marks. */
export function unwrapped(text: string): unknown {
  const match = /^<(untrusted-[0-9a-f-]+)>\n([\s\S]*)\n<\/\1>$/m.exec(text);
  if (match?.[2] === undefined) throw new Error(`No marks in: ${text}`);
  return JSON.parse(match[2]);
}
