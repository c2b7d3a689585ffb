const minuteMs = 60_000;
const units: Readonly<Record<string, number>> = {
  minute: minuteMs,
  hour: 60 * minuteMs,
  day: 24 * 60 * minuteMs,
  week: 7 * 24 * 60 * minuteMs,
};

/**
 * The time that somebody means, in milliseconds since 1970: "2 hours ago", "yesterday", "today 18:00" (in UTC), or a
 * time as ISO 8601 writes it. Null for what is said otherwise: a model may still know what is meant.
 */
export function readSince(said: string, now: number): number | null {
  const text = said.trim().toLowerCase();
  const ago = /^(?:the )?(?:last |past )?(\d{1,4}|an?|one)? ?(minute|hour|day|week)s?(?: ago)?$/.exec(text);
  if (ago !== null) {
    const count = ago[1] === undefined || /\D/.test(ago[1]) ? 1 : Number(ago[1]);
    return now - count * (units[ago[2] ?? ""] ?? 0);
  }
  const day = /^(today|yesterday)(?: (?:at )?([01]?\d|2[0-3]):([0-5]\d))?$/.exec(text);
  if (day !== null) {
    const midnight =
      new Date(now).setUTCHours(0, 0, 0, 0) - (day[1] === "yesterday" ? 24 * 60 * minuteMs : 0);
    return midnight + (Number(day[2] ?? 0) * 60 + Number(day[3] ?? 0)) * minuteMs;
  }
  if (!/^\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d)?(?:z|[+-]\d\d:\d\d)?)?$/.test(text)) return null;
  const isZoned = /(?:z|[+-]\d\d:\d\d)$/.test(text) && text.length > 10;
  const time = Date.parse(
    `${text.replace(" ", "t")}${text.length > 10 && !isZoned ? "z" : ""}`.toUpperCase(),
  );
  return Number.isNaN(time) ? null : time;
}
