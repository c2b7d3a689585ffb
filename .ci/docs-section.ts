/** The text with what stands between `<!-- NAME: made by bun run docs -->` and the next `<!-- end -->` replaced. */
export function withSection(old: string, name: string, made: string): string {
  const begin = `<!-- ${name}: made by bun run docs -->\n`;
  const end = "\n<!-- end -->";
  const from = old.indexOf(begin);
  const to = old.indexOf(end, from + begin.length - 1);
  if (from === -1 || to === -1) throw new Error(`There is no section ${name} in the document.`);
  return `${old.slice(0, from + begin.length)}${made}${old.slice(to)}`;
}

/** A table of Markdown. Bars in a cell are escaped, lines become one. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll(/\s+/g, " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
