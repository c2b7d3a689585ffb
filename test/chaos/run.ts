import { readFileSync } from "node:fs";
import { Site } from "../e2e/site.ts";
import { explain } from "./explain.ts";
import { type Count, Ledger } from "./ledger.ts";
import { approve, type Person, pause, talk, yesOf } from "./people.ts";
import { drive } from "./programs.ts";
import { brain, entryOf } from "./questions.ts";
import { type Random, seeded } from "./random.ts";
import { cutGateway, makeTrouble } from "./trouble.ts";
import { asks, botId, chaosWorld, personIds, runs, servers } from "./world.ts";

export interface ChaosOptions {
  readonly kills: number;
  /** Of what goes wrong, when, and what people ask. How the machine interleaves it is its own affair. */
  readonly seed: number;
  /** How long Discord's gateway is away once, when all kills are over, in milliseconds; 0 leaves it out. */
  readonly longCutMs: number;
  /** Questions asked of the last process, undisturbed, over which its memory is watched. */
  readonly calmQuestions: number;
  readonly say: (line: string) => void;
  /** Takes what the processes log, and what is done to them. */
  readonly log?: (text: string) => void;
}

export interface Outcome extends Count {
  readonly asked: number;
  readonly kills: number;
  /** Orderly ends among the lives of the service, as at an upgrade. */
  readonly stops: number;
  /** `PRAGMA integrity_check`. */
  readonly integrity: string;
  /** Turns and posts that the database still takes for unfinished. */
  readonly unfinished: number;
  /** Milliseconds from the kill, less the time that the service was left down, to its first new answer. */
  readonly backAfterMs: readonly number[];
  /** Resident bytes of the last process, after each tenth of the calm questions. */
  readonly memory: readonly number[];
}

const env = {
  LOG_LEVEL: "info",
  TOOLS: "all",
  TOOL_WRITES: "run",
  GUILD_POLICIES: JSON.stringify({ [asks]: { writes: "ask" }, [runs]: { writes: "run" } }),
  RATE_LIMIT_USER: "100000/60",
  RATE_LIMIT_GUILD: "100000/60",
  RATE_LIMIT_CHANGES: "100000/60",
  RATE_LIMIT_TOKEN: "100000/60",
  RATE_LIMIT_ADDRESS: "100000/60",
  USER_TOKENS_PER_DAY: "0",
  GUILD_TOKENS_PER_DAY: "0",
  DRAIN_SECONDS: "5",
};

const people = 14;
/** The last answers may wait for a post of unknown fate, which is looked for after a minute. */
const settleMs = 240_000;
const calmMs = 1_200_000;
/** Sessions that Discord forgets in a run: a bot that identifies more often than this in an hour is made to wait. */
const forgottenSessions = 3;

/** Lets people and programs talk to the executable while it is killed again and again and everything around it fails. */
export async function chaos(options: ChaosOptions): Promise<Outcome> {
  const random = seeded(options.seed);
  const discord = { seed: chaosWorld(people), requestLog: 200, rateLimits: "off" as const };
  await using site = await Site.open({ env, discord, claude: { brain, chunkDelayMs: 1 } });
  const ledger = new Ledger();
  const entries = new Map<string, number>();
  const answers = new EventTarget();
  const over = new AbortController();
  watch(site, ledger, entries, answers, over.signal);
  const crowd = await gather(site);

  const silence = new AbortController();
  const talking = crowd.map((person) => talk(person, site, ledger, random.fork(), silence.signal));
  const [{ id: guildId, channelIds, ledgerId }] = servers;
  const programs = personIds(3).map((userId, at) => {
    const place = { sessionId: `program-${at}`, userId, channelId: channelIds[at] ?? "", guildId, ledgerId };
    return drive(place, site, ledger, random.fork(), silence.signal);
  });
  const busy = Promise.all([...talking, ...programs]);
  busy.catch(() => {});

  const storm = await killAgainAndAgain(site, random.fork(), options, answers);
  if (options.longCutMs > 0) {
    options.say(`the gateway is away for ${options.longCutMs / 1000} s`);
    site.discord.faults.gateway.forgetSessions();
    await cutGateway(site.discord, options.longCutMs, new AbortController().signal);
  }
  const memory = await calm(site, ledger, options);
  silence.abort();
  await busy;
  await settled(ledger, options.say);
  over.abort();
  site.running.kill("SIGTERM");
  await site.running.exited;
  const count = ledger.count(entries);
  using database = site.database();
  for (const mark of new Set([...count.lost, ...count.duplicated, ...count.misled]))
    for (const line of explain(mark, ledger.messageOf(mark), site, database)) options.say(line);
  return {
    ...count,
    ...storm,
    ...inspect(site),
    asked: ledger.size,
    memory,
  };
}

/** What the bot posts is counted as people see it, and what it asks is answered. */
function watch(
  site: Site,
  ledger: Ledger,
  entries: Map<string, number>,
  answers: EventTarget,
  signal: AbortSignal,
): void {
  const seen = new Set<string>();
  const ledgers = servers.map(({ ledgerId }) => ledgerId);
  site.discord.onMessage((message) => {
    if (message.author.id !== botId || seen.has(message.id)) return;
    seen.add(message.id);
    if (yesOf(message) !== null) void approve(message, site, signal);
    else if (ledgers.includes(message.channel_id)) enter(message.content, entries);
    else {
      ledger.posted(message);
      answers.dispatchEvent(new Event("answer"));
    }
  });
}

function enter(content: string, entries: Map<string, number>): void {
  const mark = /^entry (q\d+)$/.exec(content)?.[1];
  if (mark === undefined || content !== entryOf(mark)) throw new Error(`The tool wrote: ${content}`);
  entries.set(mark, (entries.get(mark) ?? 0) + 1);
}

/** People in channels, and some who write directly. All have been answered once before it begins. */
async function gather(site: Site): Promise<readonly Person[]> {
  const places = servers.flatMap(({ channelIds, ledgerId }) =>
    channelIds.map((channelId) => ({ channelId, ledgerId, isDirect: false })),
  );
  const [{ ledgerId }] = servers;
  const crowd = personIds(people).map((userId, at): Person => {
    const place = places[at % places.length];
    return at % 5 === 4 || place === undefined
      ? { userId, channelId: site.discord.openDirectMessage(userId), ledgerId, isDirect: true }
      : { userId, ...place };
  });
  for (const { userId, channelId, isDirect } of crowd) {
    const answered = site.discord.waitForBotMessage({
      since: site.discord.mark(),
      channelId,
      timeoutMs: 20_000,
    });
    site.say(`${isDirect ? "" : `<@${botId}> `}hello`, { userId, channelId });
    await answered;
  }
  return crowd;
}

async function killAgainAndAgain(
  site: Site,
  random: Random,
  { kills, say, log = () => {} }: ChaosOptions,
  answers: EventTarget,
) {
  const note = (what: string) => log(`${new Date().toISOString()} --- ${what}\n`);
  const backAfterMs: number[] = [];
  let stops = 0;
  let forgotten = 0;
  for (let life = 1; life <= kills; life += 1) {
    const storm = new AbortController();
    const { discord, claude } = site;
    const trouble = makeTrouble({ discord, claude, random: random.fork(), signal: storm.signal });
    await pause(random.between(300, 4500), storm.signal);
    const isOrderly = random.chance(0.08);
    if (isOrderly) {
      stops += 1;
      site.running.kill("SIGTERM");
      await site.running.exited;
    } else await site.kill();
    note(isOrderly ? "ended in order" : "killed");
    log(site.running.output);
    storm.abort();
    await trouble;
    if (random.chance(0.1)) await stillborn(site, random);
    await pause(random.between(0, 600), new AbortController().signal);
    if (random.chance(0.5)) site.agePosts(61_000);
    if (forgotten < forgottenSessions && random.chance(0.03)) {
      forgotten += 1;
      discord.faults.gateway.forgetSessions();
      note("Discord has forgotten the session");
    }
    const began = performance.now();
    answers.addEventListener("answer", () => backAfterMs.push(performance.now() - began), { once: true });
    await site.begin();
    if (life % 25 === 0) say(`${life} of ${kills} kills`);
  }
  return { kills: kills - stops, stops, backAfterMs };
}

/** A process that is killed while it starts. */
async function stillborn(site: Site, random: Random): Promise<void> {
  const began = site.begin().catch(() => {});
  await pause(random.between(5, 120), new AbortController().signal);
  await site.kill();
  await began;
}

/** Nothing goes wrong for so many questions: the last process should need no more memory at their end than early on. */
async function calm(site: Site, ledger: Ledger, { calmQuestions, say }: ChaosOptions) {
  const began = ledger.size;
  const deadline = AbortSignal.timeout(calmMs);
  const samples: number[] = [];
  for (let tenth = 1; tenth <= 10; tenth += 1) {
    const size = began + (calmQuestions * tenth) / 10;
    while (ledger.size < size && !deadline.aborted) await pause(50, deadline);
    samples.push(residentBytes(site.running.pid));
  }
  say(`${ledger.size - began} questions undisturbed`);
  return samples;
}

function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1] ?? 0) * 1024;
}

/** Until everybody has their answer, or it is certain that somebody gets none. */
async function settled(ledger: Ledger, say: (line: string) => void): Promise<void> {
  const deadline = AbortSignal.timeout(settleMs);
  while (ledger.open.length > 0 && !deadline.aborted) await pause(100, deadline);
  if (ledger.open.length > 0) say(`still waiting: ${ledger.open.join(" ")}`);
}

function inspect(site: Site): Pick<Outcome, "integrity" | "unfinished"> {
  using database = site.database();
  const check = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
  const count = (sql: string) => database.query<{ n: number }, []>(sql).get()?.n ?? 0;
  const unfinished =
    count("SELECT count(*) n FROM turns WHERE state NOT IN ('done', 'failed', 'cancelled')") +
    count("SELECT count(*) n FROM posts WHERE state IN ('pending', 'sending')");
  return { integrity: check.map((row) => row.integrity_check).join(", "), unfinished };
}
