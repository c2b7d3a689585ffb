import type { Config } from "../config.ts";
import type { Memory } from "../memory/memory.ts";
import type { Doors } from "./doors.ts";
import type { Chore } from "./maintenance.ts";
import type { Work } from "./work.ts";

export interface ChoresDeps {
  readonly config: Pick<Config, "retentionDays" | "auditRetentionDays">;
  readonly memory: Pick<Memory, "storage" | "removeOlderThan">;
  readonly work: Pick<Work, "sessions" | "turns" | "erasing">;
  readonly doors: Pick<Doors, "closeInvalid">;
  readonly now: () => number;
}

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** What the service sees to from time to time. */
export function choresOf({ config, memory, work, doors, now }: ChoresDeps): readonly Chore[] {
  const { sessions, turns, erasing } = work;
  return [
    { name: "close sockets of expired tokens", everyMs: 15 * secondMs, run: () => doors.closeInvalid() },
    { name: "expire sessions", everyMs: minuteMs, run: () => sessions.expire() },
    {
      name: "storage",
      everyMs: 5 * secondMs,
      async run() {
        // Turns whose end there was no room for.
        if (memory.storage.recovers()) await turns.resume();
      },
    },
    { name: "expire approvals", everyMs: 5 * secondMs, run: () => turns.expireApprovals() },
    { name: "erase", everyMs: 5 * secondMs, run: () => erasing.runDue() },
    {
      name: "retention",
      everyMs: hourMs,
      run: () =>
        memory.removeOlderThan(
          now() - config.retentionDays * dayMs,
          now() - config.auditRetentionDays * dayMs,
        ),
    },
  ];
}
