import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { isParentOf, isThread, prerequisites } from "./compute.ts";
import type { ChannelFacts, GuildFacts, MemberFacts, OverwriteFacts } from "./facts.ts";

const { Administrator, ManageThreads, ReadMessageHistory, SendMessages, ViewChannel } = PermissionFlagsBits;

/** In the order in which they are missed. */
const implying = ["ViewChannel", "Connect", "SendMessages", "SendMessagesInThreads"] as const;

/** One thing that spoke for or against a permission, or that settled it. The role of the guild's own id is @everyone. */
export type Step =
  /** The owner may do everything. */
  | { readonly by: "owner" }
  /** So may an administrator, and this role makes one. */
  | { readonly by: "administrator"; readonly roleId: string }
  | { readonly by: "role"; readonly roleId: string; readonly effect: "allow" }
  /** None of the member's roles, nor @everyone, gives it in the guild. */
  | { readonly by: "no_role"; readonly effect: "deny" }
  | {
      readonly by: "overwrite";
      readonly of: "everyone" | "role" | "member";
      readonly id: string;
      readonly effect: "allow" | "deny";
    }
  /** An overwrite can hold Administrator, but makes nobody one. */
  | { readonly by: "never_by_overwrite"; readonly effect: "deny" }
  /** Without that one it does not count; explaining that one says why. */
  | { readonly by: "implied"; readonly missing: (typeof implying)[number]; readonly effect: "deny" }
  /** Milliseconds since 1970. */
  | { readonly by: "timeout"; readonly until: number; readonly effect: "deny" }
  /**
   * `send_messages`: in threads Send Messages in Threads counts instead. `not_a_member`: of a private thread, and no
   * moderator of threads either. `no_parent`: its channel is not known.
   */
  | {
      readonly by: "thread";
      readonly reason: "send_messages" | "not_a_member" | "no_parent";
      readonly effect: "deny";
    }
  /** The channel does not belong to this guild. */
  | { readonly by: "elsewhere"; readonly effect: "deny" };

export interface Explanation {
  readonly isAllowed: boolean;
  /** In the order of Discord's arithmetic; the last one decided. */
  readonly steps: readonly Step[];
}

export interface PermissionQuestion {
  readonly guild: GuildFacts;
  readonly member: MemberFacts;
  /** Null for what they may do in the guild as a whole. */
  readonly channel: ChannelFacts | null;
  /** The channel that a thread belongs to; of no matter to others. */
  readonly parent: ChannelFacts | null;
  readonly isThreadMember: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Why a member has one permission or lacks it, with the verdict of `channelPermissions` and `guildPermissions`.
 * https://docs.discord.com/developers/topics/permissions#permission-overwrites
 */
export function explainPermission(question: PermissionQuestion, bit: bigint): Explanation {
  const { guild, member, channel, parent } = question;
  if (channel !== null) {
    if (channel.guildId !== guild.id) return refused([], { by: "elsewhere", effect: "deny" });
    const isLost = isThread(channel) && (parent === null || !isParentOf(parent, channel));
    if (isLost) return refused([], { by: "thread", reason: "no_parent", effect: "deny" });
  }
  if (guild.ownerId === member.userId) return { isAllowed: true, steps: [{ by: "owner" }] };
  const roleId = heldRoles(guild, member, Administrator)[0];
  if (roleId !== undefined) return { isAllowed: true, steps: [{ by: "administrator", roleId }] };
  const { isAllowed, steps } = given(question, bit);
  if (!isAllowed) return { isAllowed, steps };
  const hindrance = hindranceOf(question, bit);
  return hindrance === null ? { isAllowed, steps } : refused(steps, hindrance);
}

function refused(steps: readonly Step[], last: Step): Explanation {
  return { isAllowed: false, steps: [...steps, last] };
}

/** Which of the member's roles hold a permission in the guild, @everyone first. */
function heldRoles(guild: GuildFacts, member: MemberFacts, bit: bigint): readonly string[] {
  return [guild.id, ...member.roleIds].filter((id) => (guild.roles.get(id)?.permissions ?? 0n) & bit);
}

/** By roles and overwrites: what is said later counts. */
function given({ guild, member, channel, parent }: PermissionQuestion, bit: bigint): Explanation {
  const roles = heldRoles(guild, member, bit).map(
    (roleId) => ({ by: "role", roleId, effect: "allow" }) as const,
  );
  const base: readonly Step[] = roles.length > 0 ? roles : [{ by: "no_role", effect: "deny" }];
  const decisive = channel !== null && isThread(channel) ? parent : channel;
  const said = overwriteSteps(decisive?.overwrites ?? [], guild, member, bit);
  const isAllowed = said.length > 0 ? said.at(-1)?.effect === "allow" : roles.length > 0;
  const steps = [...base, ...said];
  if (!isAllowed || bit !== Administrator) return { isAllowed, steps };
  return refused(steps, { by: "never_by_overwrite", effect: "deny" });
}

type OverwriteStep = Extract<Step, { by: "overwrite" }>;

function overwriteSteps(
  overwrites: readonly OverwriteFacts[],
  guild: GuildFacts,
  member: MemberFacts,
  bit: bigint,
): readonly OverwriteStep[] {
  const layerOf = ({ type, id }: OverwriteFacts): OverwriteStep["of"] | null => {
    if (type === "member") return id === member.userId ? "member" : null;
    if (id === guild.id) return "everyone";
    return member.roleIds.includes(id) && guild.roles.has(id) ? "role" : null;
  };
  const steps: OverwriteStep[] = [];
  for (const of of ["everyone", "role", "member"] as const) {
    const layer = overwrites.filter((one) => layerOf(one) === of);
    for (const effect of ["deny", "allow"] as const)
      for (const one of layer) if (one[effect] & bit) steps.push({ by: "overwrite", of, id: one.id, effect });
  }
  return steps;
}

/** What takes away a permission that roles and overwrites give. */
function hindranceOf(question: PermissionQuestion, bit: bigint): Step | null {
  const { member, channel, isThreadMember, now } = question;
  if (channel !== null) {
    const missing = missingFor(question, channel, bit);
    if (missing !== null) return { by: "implied", missing, effect: "deny" };
    if (isThread(channel) && bit === SendMessages)
      return { by: "thread", reason: "send_messages", effect: "deny" };
  }
  const { timedOutUntil } = member;
  const isTimedOut = timedOutUntil !== null && timedOutUntil > now;
  if (isTimedOut && !((ViewChannel | ReadMessageHistory) & bit))
    return { by: "timeout", until: timedOutUntil, effect: "deny" };
  if (channel?.type !== ChannelType.PrivateThread || isThreadMember) return null;
  if (!isTimedOut && given(question, ManageThreads).isAllowed) return null;
  return { by: "thread", reason: "not_a_member", effect: "deny" };
}

function missingFor(
  question: PermissionQuestion,
  channel: ChannelFacts,
  bit: bigint,
): (typeof implying)[number] | null {
  const needed = prerequisites(bit, channel);
  const missing = implying.find((name) => {
    const each = PermissionFlagsBits[name];
    return needed & each && !given(question, each).isAllowed;
  });
  return missing ?? null;
}
