import type { Actor } from "../../src/actor.ts";
import { allTools } from "../../src/tools/all.ts";
import type { Axis, Expected, Input } from "../tools/matrix/axis.ts";
import type { Scene } from "../tools/matrix/expectation.ts";
import { type ActorName, guildId, userOf } from "../tools/matrix/scene.ts";
import { table } from "../tools/matrix/table.ts";

export type CaseKind = "allowed" | "refused" | "not_found" | "bad_argument";

export interface DoorCase {
  readonly tool: string;
  readonly kind: CaseKind;
  /** What is called, for whoever reads of a difference. */
  readonly name: string;
  readonly input: Input;
  readonly actor: Actor;
}

/** Members, who can be where they speak: others are let in by no door. */
const members: readonly ActorName[] = [
  "moderator",
  "member",
  "administrator",
  "without",
  "timed_out",
  "owner",
];

/**
 * Of the matrix's table, for each tool and each of its targets the first call of every kind that there is. The first
 * that is allowed also comes with an argument that there is none of.
 */
export function doorCases(discord: Scene["discord"], tools: readonly string[]): readonly DoorCase[] {
  return tools.flatMap((tool) => {
    const axes = table[tool]?.axes ?? [];
    const of = (kind: CaseKind) => axes.flatMap((axis) => firstOf(kind, tool, axis, discord));
    const allowed = of("allowed");
    const bad = allowed.slice(0, 1).map(({ name, input, ...one }) => ({
      ...one,
      kind: "bad_argument" as const,
      name: `${name}, and nonsense`,
      input: { ...input, nonsense: 1 },
    }));
    return [...allowed, ...bad, ...of("refused"), ...of("not_found")];
  });
}

function firstOf(kind: CaseKind, tool: string, axis: Axis, discord: Scene["discord"]): readonly DoorCase[] {
  for (const target of axis.targets)
    for (const actor of members) {
      if (kindOf(axis.expect(target, { discord, actor })) !== kind) continue;
      const { input, channelId } = axis.call(target, actor);
      const name = `${tool} ${axis.variant} ${axis.argument}: ${target} as ${actor}`;
      const who: Actor = { kind: "user", userId: userOf[actor], guildId, channelId };
      return [{ tool, kind, name, input, actor: who }];
    }
  return [];
}

/** Null when it could be refused for more than one kind of reason. */
function kindOf(expected: Expected): CaseKind | null {
  if (expected.length === 0) return "allowed";
  if (expected.every(({ kind }) => kind === "not_found")) return "not_found";
  return expected.every(({ kind }) => kind === "lacks" || kind === "rule") ? "refused" : null;
}

const changing = new Set(allTools.filter(({ kind }) => kind !== "read").map(({ name }) => name));

export const isChange = ({ tool }: Pick<DoorCase, "tool">): boolean => changing.has(tool);
