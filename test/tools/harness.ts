import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import type { Actor } from "../../src/actor.ts";
import { AppError } from "../../src/errors.ts";
import type { ChannelFacts, GuildFacts, MemberFacts } from "../../src/permissions/facts.ts";
import type { DiscordReader, PermissionFactsPort } from "../../src/tools/discord-port.ts";
import type { AuditRow } from "../../src/tools/ports.ts";
import { createRegistry, type Registry, type RegistryOptions } from "../../src/tools/registry.ts";
import { defineTool, type Need, type Tool, type ToolContext } from "../../src/tools/tool.ts";

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
  asked = 0;
  failure: Error | null = null;
  readonly guilds = new Set<string>([ids.guild]);
  readonly channels = new Map<string, ChannelFacts>();
  readonly members = new Map<string, MemberFacts>();

  constructor() {
    this.channels.set(ids.general, channel(ids.general, { name: "general" }));
    for (const [userId, name] of [
      [ids.ana, "ana"],
      [ids.bot, "pilot"],
    ] as const)
      this.members.set(userId, { userId, name, roleIds: [], timedOutUntil: null });
  }

  async botUserId(): Promise<string> {
    this.#ask();
    return ids.bot;
  }

  async guild(guildId: string): Promise<GuildFacts> {
    this.#ask();
    if (!this.guilds.has(guildId)) throw new AppError("not_found", "Discord knows no such server.");
    const role = { id: guildId, name: "@everyone", permissions: this.everyone, position: 0 };
    return { id: guildId, name: "Harbour", ownerId: ids.unknown, roles: new Map([[role.id, role]]) };
  }

  async channel(channelId: string): Promise<ChannelFacts> {
    this.#ask();
    return found(this.channels.get(channelId), "channel");
  }

  async member(_guildId: string, userId: string): Promise<MemberFacts> {
    this.#ask();
    return found(this.members.get(userId), "member");
  }

  async isThreadMember(): Promise<boolean> {
    this.#ask();
    return false;
  }

  #ask(): void {
    this.asked++;
    if (this.failure !== null) throw this.failure;
  }
}

export function channel(id: string, part: Partial<ChannelFacts> = {}): ChannelFacts {
  return {
    id,
    guildId: ids.guild,
    name: "",
    type: ChannelType.GuildText,
    parentId: null,
    overwrites: [],
    recipientIds: [],
    ...part,
  };
}

function found<Fact>(fact: Fact | undefined, what: string): Fact {
  if (fact === undefined) throw new AppError("not_found", `Discord knows no such ${what}.`);
  return fact;
}

const unused = () => Promise.reject(new Error("This test asks Discord nothing."));
export const noDiscord: DiscordReader = {
  user: unused,
  member: unused,
  channel: unused,
  guild: unused,
  guildChannels: unused,
  guildRoles: unused,
  guildEmojis: unused,
  messages: unused,
  searchMessages: unused,
};

export interface Bench {
  readonly registry: Registry;
  readonly facts: Facts;
  readonly audit: AuditRow[];
  readonly counted: string[];
}

export function bench(tools: readonly Tool[], options: Partial<RegistryOptions> = {}): Bench {
  const facts = new Facts();
  const audit: AuditRow[] = [];
  const counted: string[] = [];
  const registry = createRegistry({
    tools,
    discord: noDiscord,
    facts,
    audit: { append: async (row) => void audit.push(row), collect: (row) => void audit.push(row) },
    metrics: { toolCall: (name, verdict) => counted.push(`${name} ${verdict}`) },
    now: Date.now,
    timeoutMs: 30_000,
    resultBytes: 16 * 1024,
    ...options,
  });
  return { registry, facts, audit, counted };
}

/** A tool that runs what a test gives it. */
export function toolThat(
  run: (context: ToolContext, input: { readonly n?: number | undefined }) => unknown,
  part: {
    readonly name?: string;
    readonly needs?: readonly Need[];
    readonly kind?: Tool["kind"];
    readonly place?: "guild";
    readonly repeatable?: boolean;
  } = {},
): Tool {
  return defineTool({
    name: part.name ?? "probe",
    title: "Probe",
    description: "Runs what a test gives it.",
    input: Type.Object(
      { n: Type.Optional(Type.Integer({ minimum: 1, maximum: 3 })) },
      { additionalProperties: false },
    ),
    kind: part.kind ?? "read",
    repeatable: part.repeatable ?? true,
    ...(part.place === undefined ? {} : { place: part.place }),
    needs: () => part.needs ?? [],
    run: async (input, context) => ({ value: await run(context, input), sources: ["channel:1"] }),
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
