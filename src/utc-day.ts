/** The UTC date of a moment in milliseconds since 1970, such as 2026-11-22: what token budgets are counted by. */
export const utcDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
