import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { residentOf } from "../bench/processes.ts";
import { Ledger } from "../chaos/ledger.ts";
import { brain, textOf } from "../chaos/questions.ts";
import { type Random, seeded } from "../chaos/random.ts";
import { botId, chaosWorld, personIds, servers } from "../chaos/world.ts";
import { Site } from "../e2e/site.ts";
import { Program } from "./program.ts";

export interface CalmOptions {
  readonly turns: number;
  /** Each with a socket, asking one thing after the other. */
  readonly programs: number;
  /** The same in Discord, which takes eighteen posts a second of us. */
  readonly people: number;
  /** Tokens of history that go with each question. */
  readonly historyTokens: number;
  readonly onTenth?: (held: Held) => void;
}

/** What the service holds after a tenth of the turns, while nobody asks anything. */
export interface Held {
  readonly turns: number;
  /** Resident bytes as they are, and once what is garbage has been collected. */
  readonly resident: number;
  readonly collected: number;
  readonly heapSize: number;
  readonly objectCount: number;
  /** By their kind. */
  readonly objectTypeCounts: Readonly<Record<string, number>>;
}

interface Place {
  readonly userId: string;
  readonly channelId: string;
}

/** Asks one thing; resolves when it is answered. */
type Ask = () => Promise<void>;

const plenty = "999999999/1";
const env = {
  LOG_LEVEL: "warning",
  TOOLS: "all",
  RATE_LIMIT_USER: plenty,
  RATE_LIMIT_GUILD: plenty,
  RATE_LIMIT_TOKEN: plenty,
  RATE_LIMIT_ADDRESS: plenty,
  USER_TOKENS_PER_DAY: "0",
  GUILD_TOKENS_PER_DAY: "0",
};
const probe = fileURLToPath(new URL("./heap-probe.ts", import.meta.url));
const [{ id: guildId, channelIds, ledgerId }] = servers;
/** How often a program connects anew, and looks something up, before it asks. */
const reconnects = 0.02;
const lookups = 0.2;

/** Lets programs and people ask while nothing goes wrong, and counts what is left of it in the service. */
export async function calm(options: CalmOptions): Promise<readonly Held[]> {
  const { turns, programs, people, historyTokens, onTenth } = options;
  const folder = mkdtempSync(join(tmpdir(), "calm-"));
  const report = join(folder, "heap.json");
  await using site = await Site.open({
    env: {
      ...env,
      HISTORY_TOKENS: String(historyTokens),
      BUN_OPTIONS: `--preload=${probe}`,
      HEAP_PROBE: report,
    },
    discord: { seed: chaosWorld(programs + people), requestLog: 10, rateLimits: "off" },
    claude: { brain },
  });
  const random = seeded(1);
  const ledger = new Ledger();
  site.discord.onMessage((message) => {
    if (message.author.id === botId) ledger.posted(message);
  });
  const places = personIds(programs + people).map((userId, at) => ({
    userId,
    channelId: channelIds[at % channelIds.length] ?? "",
  }));
  const asking = await Promise.all([
    ...places.slice(0, programs).map((place) => program(place, site, ledger, random.fork())),
    ...places.slice(programs).map(async (place) => person(place, site, ledger, random.fork())),
  ]);
  const held: Held[] = [];
  let done = 0;
  for (let tenth = 1; tenth <= 10; tenth++) {
    const until = Math.ceil((turns * tenth) / 10);
    await Promise.all(
      asking.map(async (ask) => {
        for (; done < until; done++) await ask();
      }),
    );
    const one = { turns: done, ...(await look(site.running.pid, report)) };
    held.push(one);
    onTenth?.(one);
  }
  rmSync(folder, { recursive: true });
  return held;
}

async function program(
  { userId, channelId }: Place,
  site: Site,
  ledger: Ledger,
  random: Random,
): Promise<Ask> {
  const place = { user_id: userId, channel_id: channelId, guild_id: guildId };
  let connected = await Program.open(site.url, site.operatorToken);
  await connected.initialize(place);

  async function connectAnew(): Promise<void> {
    const { sessionId } = connected;
    await connected.close();
    connected = await Program.open(site.url, site.operatorToken);
    await connected.initialize({ ...place, session_id: sessionId });
  }

  return async () => {
    if (random.chance(reconnects)) await connectAnew();
    if (random.chance(lookups)) await connected.recall();
    const kind = random.chance(0.1) ? "long" : "short";
    const reply = await connected.process(textOf({ mark: ledger.newMark(), kind, ledgerId }));
    if (reply.type !== "response") throw new Error(`A program was answered: ${reply.error}`);
  };
}

function person({ userId, channelId }: Place, site: Site, ledger: Ledger, random: Random): Ask {
  return async () => {
    const kind = random.pick(["short", "long", "read"] as const);
    const question = { mark: ledger.newMark(), kind, ledgerId };
    const answered = ledger.ask(question, channelId);
    site.say(`<@${botId}> ${textOf(question)}`, { userId, channelId });
    await answered;
  };
}

async function look(pid: number, report: string): Promise<Omit<Held, "turns">> {
  const resident = await residentOf(pid);
  rmSync(report, { force: true });
  process.kill(pid, "SIGUSR2");
  while (!existsSync(report)) await Bun.sleep(20);
  const heap = JSON.parse(readFileSync(report, "utf8"));
  return { ...heap, resident, collected: await residentOf(pid) };
}

/** Objects that each turn has left behind since the third tenth, when caches have begun to be full. */
export function leftByTurn(held: readonly Held[]): number {
  const [early, late] = [held[2], held.at(-1)];
  if (early === undefined || late === undefined || late.turns === early.turns)
    throw new Error("It was not looked at often enough.");
  return (late.objectCount - early.objectCount) / (late.turns - early.turns);
}
