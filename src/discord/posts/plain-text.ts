const special = /[\\`*_~|<>@#:.[\]()]/;
/** What makes a list of a line, at its beginning. */
const listMark = /^(?=[-+])/;

/**
 * Words of others as one line that Discord shows as they are: no mention, link, invitation, emoji, code, heading or list
 * comes of them, and they cannot end the quotation that they stand in. At most `max` UTF-16 units come out; what is cut
 * is marked. https://discord.com/developers/docs/reference#message-formatting
 */
export function plainText(words: string, max: number): string {
  const line = words.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]+/gu, " ").trim();
  let shown = listMark.test(line) ? "\\" : "";
  for (const character of line.toWellFormed()) {
    const next = special.test(character) ? `\\${character}` : character;
    if (shown.length + next.length > max - 1) return `${shown}…`;
    shown += next;
  }
  return shown;
}
