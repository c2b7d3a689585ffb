import type { AuditLine } from "../operations/audit.ts";

/** Columns of a terminal that lines of further details keep to; an id is never broken. */
const lineWidth = 110;
const indent = "    ";

/** The audit log for a terminal, a line for each call, and below it what it was about where that is known. */
export function auditTable(lines: readonly AuditLine[]): string {
  if (lines.length === 0) return "No calls that fit.\n";
  const cells = lines.map((line) => [
    line.at.slice(0, 19).replace("T", " "),
    line.actor_kind === "bot" ? `bot ${line.actor_user_id}` : line.actor_user_id,
    printable(line.tool_name),
    line.reason === null ? line.verdict : `${line.verdict} ${printable(line.reason)}`,
    `${line.duration_ms} ms`,
  ]);
  const head = ["TIME (UTC)", "USER", "TOOL", "VERDICT", "TOOK"];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const row = (texts: readonly string[]) =>
    `${texts
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd()}\n`;
  return row(head) + lines.map((line, at) => row(cells[at] ?? []) + wrapped(details(line))).join("");
}

function details(line: AuditLine): readonly string[] {
  const words = [line.guild_id === null ? "direct" : `guild:${line.guild_id}`, `in:${line.channel_id}`];
  words.push(...line.targets.split(" ").filter((target) => target !== ""));
  if (line.approval_id !== null) words.push(`approval:${line.approval_id}`);
  if (line.approved_by !== null) words.push(`approved-by:${line.approved_by}`);
  return words.map(printable);
}

function wrapped(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && indent.length + last.length + 1 + word.length <= lineWidth)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${indent}${line}\n`).join("");
}

/** The name of a tool that does not exist is whatever was asked for: it must not steer the terminal. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
