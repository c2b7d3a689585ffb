import type { TurnJournal } from "../../src/agent/journal.ts";

/** The process dies before or after its nth write: what it does from then on reaches nothing. */
export function dyingAt(
  journal: TurnJournal,
  write: number,
  when: "before" | "after",
  died: () => void,
): TurnJournal {
  let writes = 0;
  let dead = false;
  const never = new Promise<never>(() => {});
  const guard =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>, counts: boolean) =>
    (...args: A): Promise<R> => {
      if (dead) return never;
      if (counts) writes++;
      if (!counts || writes !== write) return method(...args);
      dead = true;
      const left = when === "after" ? method(...args).then(() => {}) : Promise.resolve();
      left.then(died);
      return never;
    };
  return {
    ...journal,
    get: guard(journal.get, false),
    steps: guard(journal.steps, false),
    nextQueued: guard(journal.nextQueued, false),
    begin: guard(journal.begin, true),
    approvals: guard(journal.approvals, false),
    saveStep: guard(journal.saveStep, true),
    suspend: guard(journal.suspend, true),
    toolAsked: guard(journal.toolAsked, true),
    toolRunning: guard(journal.toolRunning, true),
    toolEnded: guard(journal.toolEnded, true),
    end: guard(journal.end, true),
    yield: guard(journal.yield, true),
  };
}
