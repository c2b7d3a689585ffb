import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { getLogger } from "@logtape/logtape";
import { AppError } from "../errors.ts";
import type { Eraser, Holdings } from "../memory/erase.ts";
import type { Erasure, Erasures } from "../memory/erasures.ts";
import type { Subject } from "../memory/footprint.ts";
import { afterOthers, type Shut } from "./visits.ts";

const log = getLogger(["discord-mcp", "erasing"]);

/** What runs, and what is kept in memory, while the service does. */
export interface LiveParts {
  /** Writes down what would else be written after it was erased. */
  flush(): Promise<void>;
  /** Stops what runs and waits there, and withdraws what was asked. */
  stop(conversationId: string): Promise<void>;
  revoke(tokenId: string): Promise<void>;
  /** Sessions, events and answers to calls that are remembered. */
  forget(subject: Subject, holdings: Holdings): Promise<void>;
  /** Lets nothing of theirs begin until it is opened. */
  shut(subject: Subject): Shut;
  /** Discord's own time as far as it is known, in milliseconds since 1970. */
  discordNow(): number | null;
  /** Whether the bot is in that guild. Throws where Discord does not say. */
  isIn(guildId: string): Promise<boolean>;
  /** Tells whoever asked by a message that it is done. Stores nothing. */
  tell(replyTo: NonNullable<Erasure["replyTo"]>): Promise<void>;
}

export interface ErasingDeps {
  readonly erasures: Erasures;
  readonly eraser: Eraser;
  /** Null while no service runs. */
  readonly live: LiveParts | null;
  /** Log files in the data folder. */
  readonly logs: readonly string[];
  readonly now: () => number;
}

export interface Erasing {
  /** Puts a person on the list and resolves when they are forgotten, with what is left: quotes that others work with. */
  erase(userId: string): Promise<{ readonly left: boolean }>;
  /** Carries out whatever is due, one after the other. Rejects with the first failure, after all the others. */
  runDue(): Promise<void>;
}

type Failures = ReadonlyMap<string, unknown>;

const nameOf = ({ kind, subject }: Pick<Erasure, "kind" | "subject">): string => `${kind}:${subject}`;

/** Others finish what they work with within the hour that a turn may take. */
const quotesAgainMs = 10 * 60_000;
/** Until Discord is asked again where a guild stands. */
const presenceAgainMs = 60_000;
/** A person who goes on writing meanwhile is not chased for ever. */
const maxRounds = 5;
/** How often what runs is stopped once more while it is waited for what is under way, and how many times. */
const settleMs = 200;
const maxSettles = 600;

export function createErasing({ erasures, eraser, live, logs, now }: ErasingDeps): Erasing {
  let running: Promise<Failures> | null = null;
  /** The database's log still holds what was deleted. */
  let isToScrub = false;

  async function eraseAll(erasure: Erasure): Promise<number> {
    const subject = { kind: erasure.kind, id: erasure.subject };
    const shut = live?.shut(subject);
    try {
      return await eraseShut(subject, shut);
    } finally {
      shut?.open();
    }
  }

  async function stopAll(subject: Subject): Promise<void> {
    const { conversationIds, tokenIds } = eraser.holdings(subject);
    for (const id of tokenIds) await live?.revoke(id);
    eraser.silence(subject);
    for (const id of conversationIds) await live?.stop(id);
    eraser.silence(subject);
  }

  /** Until nothing is under way that could still be written: a call that was let in before may begin a turn. */
  async function stopUntilSettled(subject: Subject, shut: Shut | undefined): Promise<void> {
    let quiet = 0;
    for (let tries = 0; tries < maxSettles; tries++) {
      await stopAll(subject);
      if (shut === undefined) return;
      quiet = (await shut.settled(settleMs)) ? quiet + 1 : 0;
      // Twice: what has ended in the meantime may have left a turn behind, and that one a call.
      if (quiet === 2) return;
    }
    throw new AppError("rate_limited", "Something that runs for them does not end; try again in a minute.");
  }

  async function eraseShut(subject: Subject, shut: Shut | undefined): Promise<number> {
    for (let round = 1; ; round++) {
      await stopUntilSettled(subject, shut);
      const holdings = eraser.holdings(subject);
      await live?.flush();
      const left = await eraser.erase(subject);
      // Whoever has just looked one of their sessions up remembers it now, and not after it is forgotten.
      await afterOthers();
      await live?.forget(subject, holdings);
      for (const path of logs) dropLines(path, [subject.id, ...holdings.channelIds]);
      if (eraser.holdings(subject).conversationIds.length === 0) return left;
      if (round === maxRounds)
        throw new AppError("rate_limited", "They go on writing while they are being forgotten; try again.");
    }
  }

  /**
   * Whether the bot is away from a guild as was noted. It may be back without our having heard: nobody listened when it
   * came, and what is due is carried out before a new session has named the guilds.
   */
  async function isStillGone(erasure: Erasure): Promise<boolean> {
    try {
      if (live === null) throw new Error("Nobody can ask Discord while the service does not run.");
      if (!(await live.isIn(erasure.subject))) return true;
      await erasures.cancel("guild", erasure.subject);
    } catch (error) {
      log.warn("a server's data are kept until Discord says that the bot is not there", { error });
      await erasures.postpone(erasure, now() + presenceAgainMs);
    }
    return false;
  }

  async function carryOut(erasure: Erasure): Promise<void> {
    const { kind, subject, stage, replyTo } = erasure;
    if (kind === "guild" && !(await isStillGone(erasure))) return;
    const left = stage === "quotes" ? await eraser.withhold(subject) : await eraseAll(erasure);
    if (replyTo !== null) await live?.tell(replyTo);
    if (left > 0) await erasures.leaveQuotes(erasure, now() + quotesAgainMs);
    else await erasures.done(erasure);
    isToScrub = true;
    log.info("erased", { kind, stage, left });
  }

  /** Whoever reads the log, such as a backup, keeps it as it is: it is tried again with whatever is due next. */
  function scrub(): void {
    if (!isToScrub) return;
    try {
      isToScrub = !eraser.scrub();
    } catch (error) {
      log.warn("what was deleted could not be written over yet", { error });
    }
  }

  /** One that cannot be carried out now holds up no other. Gives why, by who it is about. */
  async function work(): Promise<Failures> {
    const failures = new Map<string, unknown>();
    for (;;) {
      const next = await erasures.nextDue(now(), [...failures.keys()]);
      if (next === null) {
        scrub();
        return failures;
      }
      try {
        await carryOut(next);
      } catch (error) {
        failures.set(nameOf(next), error);
      }
    }
  }

  const runAll = (): Promise<Failures> => {
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  };

  return {
    async runDue() {
      for (const error of (await runAll()).values()) throw error;
    },
    async erase(userId) {
      // Due whatever the clock does until then.
      const discordNow = live?.discordNow() ?? null;
      await erasures.request({
        kind: "user",
        subject: userId,
        dueAt: 0,
        ...(discordNow !== null && { discordNow }),
      });
      for (;;) {
        // What ran already may have looked at the list before.
        const failures = await runAll();
        const erasure = await erasures.get("user", userId);
        if (erasure === null || erasure.stage === "quotes") return { left: erasure !== null };
        const name = nameOf(erasure);
        if (failures.has(name)) throw failures.get(name);
      }
    },
  };
}

/** Takes the lines that name one of them out of a log file. */
function dropLines(path: string, names: readonly string[]): void {
  if (!existsSync(path)) return;
  const lines = readFileSync(path, "utf8").split("\n");
  const kept = lines.filter((line) => !names.some((name) => line.includes(name)));
  if (kept.length === lines.length) return;
  const made = `${path}.new`;
  writeFileSync(made, kept.join("\n"), { mode: 0o600 });
  renameSync(made, path);
}
