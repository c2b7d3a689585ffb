/** One comparison, both sides measured in the same run. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  /** What ours is held against; null for a figure that has no counterpart. */
  readonly floor: number | null;
  readonly floorIs: string;
  /** What was promised, such as "at least 0.6"; for the reader, never asserted. */
  readonly goal: string;
}

export interface Bench {
  readonly name: string;
  readonly about: string;
  run(): Promise<readonly Row[]>;
}

const show = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));

export const ratio = ({ ours, floor }: Row): number | null =>
  floor === null || floor === 0 ? null : ours / floor;

/** A Markdown table, as docs/benchmarks.md keeps it. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const of = ratio(row);
    const cells = [
      row.what,
      `${show(row.ours)} ${row.unit}`,
      row.floor === null ? "" : `${show(row.floor)} ${row.unit} (${row.floorIs})`,
      of === null ? "" : of < 0.1 ? String(Number(of.toPrecision(2))) : of.toFixed(2),
      row.goal,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return ["| what | ours | against | ratio | goal |", "| --- | --- | --- | --- | --- |", ...lines].join("\n");
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
