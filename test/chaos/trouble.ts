import type { ClaudeSimulator } from "../../src/simulator/claude/simulator.ts";
import type { DiscordSimulator } from "../../src/simulator/discord/simulator.ts";
import { pause } from "./people.ts";
import type { Random } from "./random.ts";

interface Parties {
  readonly discord: DiscordSimulator;
  readonly claude: ClaudeSimulator;
  readonly random: Random;
  readonly signal: AbortSignal;
}

type Trouble = (parties: Parties) => void | Promise<void>;

const posts = /^\/channels\/\d+\/messages$/;

/** Requests that Discord answers badly, or after it has done what was asked. */
const restTroubles: readonly [Trouble, ...Trouble[]] = [
  ({ discord, random }) => {
    const respond = random.pick([500, 502, 503, "reset", "half", "timeout"] as const);
    discord.faults.rest({ method: "POST", path: posts, respond, afterEffect: random.chance(0.5) });
  },
  ({ discord, random }) => {
    const times = random.between(1, 3);
    discord.faults.rest({
      method: "POST",
      path: posts,
      respond: 429,
      times,
      headers: { "retry-after": "0.3" },
    });
  },
  ({ discord, random }) => {
    const respond = random.pick([500, 502, 429, "reset", "half", "timeout"] as const);
    discord.faults.rest({ method: "GET", respond, times: random.between(1, 2) });
  },
  async ({ discord, random, signal }) => {
    const held = discord.faults.rest({
      method: "POST",
      path: posts,
      respond: "hold",
      times: random.between(1, 3),
    });
    await pause(random.between(50, 900), signal);
    held.release();
  },
];

const gatewayTroubles: readonly [Trouble, ...Trouble[]] = [
  ({ discord }) => discord.faults.gateway.disconnectAll(),
  ({ discord }) => discord.faults.gateway.dropWithoutClose(),
  ({ discord }) => discord.faults.gateway.requestReconnect(),
  ({ discord }) => discord.faults.gateway.invalidSession(true),
  ({ discord, random }) => discord.faults.gateway.duplicateNext(random.between(1, 6)),
  ({ discord, random }) => discord.faults.gateway.reorderNext(random.between(1, 4)),
  async ({ discord, random, signal }) => {
    const release = discord.faults.gateway.holdDispatches();
    await pause(random.between(50, 1500), signal);
    release();
  },
  ({ discord, random, signal }) => cutGateway(discord, random.between(300, 4000), signal),
];

const modelTroubles: readonly [Trouble, ...Trouble[]] = [
  ({ claude, random }) =>
    claude.faults.next({
      status: random.pick([429, 500, 529] as const),
      retryAfter: random.pick([0, 1] as const),
    }),
  ({ claude, random }) => claude.faults.cutStreamAfter({ events: random.between(1, 8) }),
  ({ claude, random }) => claude.faults.cutStreamAfter({ bytes: random.between(1, 900) }),
  ({ claude, random }) => claude.faults.errorInStream("overloaded_error", random.between(1, 6)),
  ({ claude }) => claude.faults.malformedBody(),
  ({ claude }) => claude.faults.disconnect(),
  async ({ claude, random, signal }) => {
    const stalled = claude.faults.stallStreamAfter(random.between(1, 6));
    await pause(random.between(100, 2000), signal);
    if (random.chance(0.5)) stalled.release();
    else stalled.cut();
  },
];

/** More of the model's than this at once, and the retries of one turn could meet nothing else. */
const maxModelTroubles = 2;

/** Nobody can connect for so long, and who is connected is cut off. */
export async function cutGateway(discord: DiscordSimulator, ms: number, signal: AbortSignal): Promise<void> {
  const release = discord.faults.gateway.refuseConnections();
  discord.faults.gateway.dropWithoutClose();
  await pause(ms, signal);
  release();
}

/** One thing after another goes wrong, now and then two at a time. What is broken is mended when it ends. */
export async function makeTrouble(parties: Parties): Promise<void> {
  const { discord, claude, random, signal } = parties;
  const under: Promise<void>[] = [];
  while (!signal.aborted) {
    await pause(random.between(100, 900), signal);
    const kind = random.pick([restTroubles, gatewayTroubles, modelTroubles]);
    const trouble = random.pick(kind);
    if (kind === modelTroubles && claude.faults.pending >= maxModelTroubles) continue;
    under.push((async () => trouble(parties))());
  }
  await Promise.all(under);
  claude.faults.clear();
  discord.faults.clear();
}
