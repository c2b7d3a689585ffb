/** What Discord would show of a message's markup, as far as it is more than style: names, times, escaped characters. */
export function asShown(content: string, names: ReadonlyMap<string, string>, now: number): string {
  return content
    .replaceAll(/<@!?(\d+)>/g, (mention, id: string) => (names.has(id) ? `@${names.get(id)}` : mention))
    .replaceAll(/<t:(\d+):R>/g, (_, seconds: string) => fromNow(Number(seconds) * 1000 - now))
    .replaceAll(/^-# /gm, "")
    .replaceAll(/\\([!-/:-@[-`{-~])/g, "$1");
}

function fromNow(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(minutes, "minute");
}
