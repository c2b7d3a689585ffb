import type { ToolOutcome } from "../../../src/tools/call.ts";
import type { Axis, AxisKind, Expected } from "./axis.ts";
import type { Reason } from "./expectation.ts";
import { type ActorName, actors } from "./scene.ts";
import { table } from "./table.ts";
import type { MatrixWorld } from "./world.ts";

/** One call: what the registry made of it, and every reason for which Discord would refuse it. */
export interface Cell {
  readonly tool: string;
  readonly on: AxisKind;
  readonly argument: string | null;
  readonly variant: string;
  readonly target: string;
  readonly actor: ActorName;
  readonly outcome: ToolOutcome;
  readonly expected: Expected;
}

/** Every tool, or those, with every kind of target, as every actor. */
export async function walk(
  world: Pick<MatrixWorld, "discord" | "call">,
  tools: readonly string[] = Object.keys(table),
): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  // At once, as people do.
  for (const tool of tools)
    for (const axis of table[tool]?.axes ?? [])
      for (const target of axis.targets)
        cells.push(...(await Promise.all(actors.map((actor) => fill({ tool, axis, target, actor }, world)))));
  return cells;
}

interface Place {
  readonly tool: string;
  readonly axis: Axis;
  readonly target: string;
  readonly actor: ActorName;
}

async function fill(
  { tool, axis, target, actor }: Place,
  world: Pick<MatrixWorld, "discord" | "call">,
): Promise<Cell> {
  const { input, channelId } = axis.call(target, actor);
  const outcome = await world.call(tool, input, { actor, channelId });
  const { on, argument, variant } = axis;
  const expected = axis.expect(target, { discord: world.discord, actor });
  return { tool, on, argument, variant, target, actor, outcome, expected };
}

/** What a call came to, in the matrix's terms. */
export type Verdict =
  | { readonly kind: "allowed" }
  | { readonly kind: "lacks"; readonly who: "actor" | "bot"; readonly permissions: readonly string[] }
  | { readonly kind: "refused"; readonly sentence: string }
  | { readonly kind: "not_found" }
  | { readonly kind: "unfit" }
  /** It neither ran nor was refused for a reason that the matrix knows. */
  | { readonly kind: "broken"; readonly sentence: string };

/** A change that is asked about may be made: it waits for the yes alone. */
export function verdictOf({ outcome: { kind, code, text, data } }: Pick<Cell, "outcome">): Verdict {
  if (kind === "done" || kind === "asked") return { kind: "allowed" };
  if (kind !== "refused") return { kind: "broken", sentence: text };
  switch (code) {
    case "not_found":
      return { kind: "not_found" };
    case "invalid_arguments":
      return { kind: "unfit" };
    case "permission_denied": {
      const missing = data?.missing;
      if (!Array.isArray(missing)) return { kind: "refused", sentence: text };
      const who = text.startsWith("The bot ") ? "bot" : "actor";
      return { kind: "lacks", who, permissions: missing.map(String) };
    }
    default:
      return { kind: "broken", sentence: text };
  }
}

/** The reason that the refusal gives, among those that there are; null when there is none such. */
export function reasonGiven(verdict: Verdict, expected: Expected): Reason | null {
  return expected.find((reason) => fits(verdict, reason)) ?? null;
}

function fits(verdict: Verdict, reason: Reason): boolean {
  if (reason.kind === "rule") return verdict.kind === "refused" && reason.words.test(verdict.sentence);
  if (reason.kind !== "lacks") return verdict.kind === reason.kind;
  return (
    verdict.kind === "lacks" &&
    verdict.who === reason.who &&
    verdict.permissions.toSorted().join() === reason.permissions.toSorted().join()
  );
}

/** Null when the product says what Discord would say; else both, in words. */
export function disagreement(cell: Cell): string | null {
  const verdict = verdictOf(cell);
  const isRight =
    cell.expected.length === 0 ? verdict.kind === "allowed" : reasonGiven(verdict, cell.expected) !== null;
  if (isRight) return null;
  const { tool, variant, argument, target, actor, outcome, expected } = cell;
  const should = expected.length === 0 ? "allowed" : expected.map(inWords).join(", or ");
  return `${tool}${variant === "" ? "" : ` (${variant})`}, ${argument ?? "nothing named"}: ${target}, as ${actor}: is ${outcome.kind} ${outcome.code ?? ""} (${outcome.text.slice(0, 200)}), should be: ${should}`;
}

function inWords(reason: Reason): string {
  switch (reason.kind) {
    case "lacks":
      return `refused since the ${reason.who} lacks ${reason.permissions.join(", ")}`;
    case "rule":
      return `refused (${reason.label})`;
    default:
      return reason.kind;
  }
}
