import type { APIRole } from "discord-api-types/v10";
import type { AnyChannel } from "../../../src/simulator/discord/world.ts";
import {
  idOf,
  isMember,
  kindOf,
  lacksInChannel,
  lacksInServer,
  type Needed,
  notFound,
  nothing,
  type Reason,
  roleOf,
  type Scene,
  seen,
  unfit,
} from "./expectation.ts";
import { messageFor } from "./messages.ts";
import {
  type ActorName,
  type ChannelKind,
  type ChannelTarget,
  channelFor,
  channels,
  channelTargets,
  type GuildTarget,
  guildTargets,
  type MemberTarget,
  type MessageTarget,
  memberTargets,
  messageTargets,
  type RoleTarget,
  roleTargets,
} from "./scene.ts";

export type Input = Readonly<Record<string, unknown>>;
export type Expected = readonly Reason[];

export const axisKinds = ["server", "channel", "message", "member", "role", "guild"] as const;
export type AxisKind = (typeof axisKinds)[number];

/** One of a tool's targets, walked through every kind of it while the others stay what anybody may. */
export interface Axis {
  readonly on: AxisKind;
  /** The argument that is walked; null when the call names nothing. */
  readonly argument: string | null;
  /** What is special about the other arguments; "" for the plain call. */
  readonly variant: string;
  readonly targets: readonly string[];
  call(target: string, actor: ActorName): { readonly input: Input; readonly channelId: string };
  expect(target: string, scene: Scene): Expected;
}

/** What Discord's documentation asks for, with the page. */
export interface Entry {
  readonly source: `https://${string}`;
  readonly axes: readonly Axis[];
}

interface Part {
  readonly argument?: string | null;
  readonly variant?: string;
}

const isOneOf = <Value extends string>(values: readonly Value[], value: string): value is Value =>
  values.some((one) => one === value);

/** The target as one of those; another one is a fault of the walk. */
function one<Value extends string>(values: readonly Value[], value: string): Value {
  if (isOneOf(values, value)) return value;
  throw new Error(`${value} is none of ${values.join(", ")}.`);
}

const keysOf = <Key extends string>(record: Readonly<Record<Key, unknown>>): readonly Key[] =>
  Object.keys(record).filter((key): key is Key => key in record);

export interface ChannelPart extends Part {
  /** Which kind of channel stands for each target. */
  readonly of: ChannelKind;
  /** Kinds for which it works; others are refused to who sees them. */
  readonly for: readonly ChannelKind[];
  /** Left out for the own channel. */
  readonly isOptional?: boolean;
  readonly input?: (channelId: string, actor: ActorName) => Input;
  readonly needs: Needed | ((channel: AnyChannel, scene: Scene) => Needed);
  /** In the server, besides. */
  readonly inServer?: Needed;
  readonly rules?: (channel: AnyChannel, scene: Scene) => Expected;
}

export function onChannel(part: ChannelPart): Axis {
  const { argument = "channel_id", variant = "", input = () => ({}) } = part;
  const channelOf = (target: string, actor: ActorName) =>
    channelFor(part.of, one<ChannelTarget>(channelTargets, target), actor);
  return {
    on: "channel",
    ...{ argument, variant, targets: channelTargets },
    call(target, actor) {
      const channelId = channelOf(target, actor);
      const isOwn = target === "own";
      const named = isOwn && part.isOptional ? {} : { [argument ?? ""]: channelId };
      return {
        input: { ...named, ...input(channelId, actor) },
        channelId: isOwn ? channelId : channels.talk,
      };
    },
    expect(target, scene) {
      const inServer = part.inServer === undefined ? [] : lacksInServer(scene, part.inServer);
      const channel = seen(scene, channelOf(target, scene.actor));
      if (channel === null) return [notFound, ...inServer];
      if (!part.for.includes(kindOf(scene, channel))) return [unfit, ...inServer];
      const needs = typeof part.needs === "function" ? part.needs(channel, scene) : part.needs;
      const rules = part.rules?.(channel, scene) ?? [];
      return [...inServer, ...lacksInChannel(scene, channel, needs), ...rules];
    },
  };
}

export interface MessagePart extends Part {
  readonly input?: Input;
  /** Several are named by such an argument, of which this is one. */
  readonly with?: string;
  readonly needs: (target: MessageTarget, scene: Scene) => Needed;
  readonly rules?: (target: MessageTarget, scene: Scene) => Expected;
}

const unknownMessages: readonly MessageTarget[] = ["elsewhere", "deleted", "missing"];

/** Of #general. */
export function onMessage(part: MessagePart): Axis {
  const { argument = "message_id", variant = "", input = {} } = part;
  return {
    on: "message",
    ...{ argument, variant, targets: messageTargets },
    call(target, actor) {
      const id = messageFor(one(messageTargets, target), actor);
      const value = part.with === undefined ? id : [id, part.with];
      return {
        input: { ...input, channel_id: channels.general, [argument ?? ""]: value },
        channelId: channels.talk,
      };
    },
    expect(target, scene) {
      const channel = seen(scene, channels.general);
      if (channel === null) return [notFound];
      const which = one<MessageTarget>(messageTargets, target);
      const lost = unknownMessages.includes(which) ? [notFound] : [];
      const rules = lost.length > 0 ? [] : (part.rules?.(which, scene) ?? []);
      return [...lost, ...lacksInChannel(scene, channel, part.needs(which, scene)), ...rules];
    },
  };
}

export interface MemberPart extends Part {
  readonly isOptional?: boolean;
  readonly input?: Input;
  readonly needs?: (userId: string, scene: Scene) => Needed;
  /** In #general. */
  readonly inChannel?: Needed;
  /** What becomes of who has left. */
  readonly left: "fine" | "not_found";
  readonly rules?: (userId: string, scene: Scene) => Expected;
}

export const memberOf = (target: string, scene: Pick<Scene, "actor">): string =>
  memberTargets[one<MemberTarget>(keysOf(memberTargets), target)] ?? idOf(scene);

export function onMember(part: MemberPart): Axis {
  const { argument = "user_id", variant = "", input = {} } = part;
  return {
    on: "member",
    ...{ argument, variant, targets: keysOf(memberTargets) },
    call(target, actor) {
      const id = memberTargets[one<MemberTarget>(keysOf(memberTargets), target)];
      const isSelf = id === null;
      const named = isSelf && part.isOptional ? {} : { [argument ?? ""]: id ?? idOfActor(actor) };
      return { input: { ...input, ...named }, channelId: channels.talk };
    },
    expect(target, scene) {
      if (!isMember(scene)) return [notFound];
      const userId = memberOf(target, scene);
      const lacking = [
        ...lacksInServer(scene, part.needs?.(userId, scene) ?? nothing),
        ...general(scene, part.inChannel ?? nothing),
      ];
      const isGone = target === "missing" || (part.left === "not_found" && !isMember(scene, userId));
      const rules = part.rules?.(userId, scene) ?? [];
      return [...(isGone ? [notFound] : []), ...lacking, ...rules];
    },
  };
}

const idOfActor = (actor: ActorName): string => idOf({ actor });

function general(scene: Scene, needs: Needed): Expected {
  const channel = seen(scene, channels.general);
  return channel === null ? [notFound] : lacksInChannel(scene, channel, needs);
}

export interface RolePart extends Part {
  readonly input?: Input;
  readonly needs?: Needed;
  readonly inChannel?: Needed;
  readonly rules?: (role: APIRole, scene: Scene) => Expected;
}

export function onRole(part: RolePart): Axis {
  const { argument = "role_id", variant = "", input = {} } = part;
  return {
    on: "role",
    ...{ argument, variant, targets: keysOf(roleTargets) },
    call(target) {
      const roleId = roleTargets[one<RoleTarget>(keysOf(roleTargets), target)];
      return { input: { ...input, [argument ?? ""]: roleId }, channelId: channels.talk };
    },
    expect(target, scene) {
      if (!isMember(scene)) return [notFound];
      const role = roleOf(scene, roleTargets[one<RoleTarget>(keysOf(roleTargets), target)]);
      const lacking = [
        ...lacksInServer(scene, part.needs ?? nothing),
        ...general(scene, part.inChannel ?? nothing),
      ];
      return [...lacking, ...(role === null ? [notFound] : (part.rules?.(role, scene) ?? []))];
    },
  };
}

/** Nothing is named, so there is one cell for each actor. */
export function inServer(part: {
  readonly variant?: string;
  readonly input?: Input;
  readonly needs?: Needed;
  /** Also who is no member. */
  readonly isForAll?: boolean;
  readonly rules?: (scene: Scene) => Expected;
}): Axis {
  return {
    on: "server",
    argument: null,
    variant: part.variant ?? "",
    targets: ["here"],
    call: () => ({ input: part.input ?? {}, channelId: channels.talk }),
    expect: (_target, scene) =>
      part.isForAll ? [] : [...lacksInServer(scene, part.needs ?? nothing), ...(part.rules?.(scene) ?? [])],
  };
}

export function onGuild(part: Part): Axis {
  const { argument = "guild_id", variant = "" } = part;
  return {
    on: "guild",
    ...{ argument, variant, targets: keysOf(guildTargets) },
    call(target) {
      const id = guildTargets[one<GuildTarget>(keysOf(guildTargets), target)];
      return { input: { [argument ?? ""]: id }, channelId: channels.talk };
    },
    expect: (target, scene) => (target === "own" && isMember(scene) ? [] : [notFound]),
  };
}
