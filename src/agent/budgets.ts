import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import { utcDay } from "../utc-day.ts";
import type { BudgetPort } from "./ports.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** Where a day's tokens are counted; days are UTC dates such as 2026-11-22. */
export interface TokenCounts {
  spent(subject: string, day: string): Promise<number>;
}

/** The day's token budgets of a person and of a server; a bound of 0 is none. What comes from the cache counts, too. */
export function createBudgets(
  counts: TokenCounts,
  bounds: Pick<Config["turn"], "userTokensPerDay" | "guildTokensPerDay">,
  now: () => number,
): BudgetPort {
  const day = () => utcDay(now());
  const check = async (subject: string, bound: number, whose: string) => {
    if (bound === 0 || (await counts.spent(subject, day())) < bound) return;
    const retryAfterMs = dayMs - (now() % dayMs);
    const hours = Math.ceil(retryAfterMs / 3_600_000);
    throw new AppError(
      "budget_exceeded",
      `${whose} for today is used up; it begins anew at midnight UTC, in ${hours === 1 ? "an hour" : `${hours} hours`} at most.`,
      { retryAfterMs },
    );
  };
  return {
    async check({ userId, guildId }) {
      await check(`user:${userId}`, bounds.userTokensPerDay, "What you may ask of me");
      if (guildId !== null)
        await check(`guild:${guildId}`, bounds.guildTokensPerDay, "What this server may ask of me");
    },
  };
}
