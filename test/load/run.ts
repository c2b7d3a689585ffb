import { numberOf, type Part, textOf } from "../bench/parts.ts";
import { median } from "../bench/report.ts";
import { LoadedService, startMany } from "./service.ts";

export interface LoadOptions {
  readonly connections: number;
  /** Of the connections; each in a conversation of its own, followed and calling tools. */
  readonly sessions: number;
  /** Of the sessions: so many ask at once, and the model answers none before all have asked. */
  readonly turns: number;
  /** How long connections come and go, in milliseconds; at least one round. */
  readonly churnMs: number;
  readonly say: (line: string) => void;
}

export interface LoadOutcome {
  /** What was refused below the bounds, by its code: nothing, if all is well. */
  readonly refused: Readonly<Record<string, number>>;
  /** Turns that were with the model at the same time. */
  readonly atOnce: number;
  readonly answered: number;
  /** What was said to what is above the bounds: one more connection, message and request. */
  readonly beyond: { readonly connection: string; readonly queue: string; readonly flight: string };
  readonly churned: number;
  readonly events: number;
  readonly memory: Memory;
}

/** Resident bytes of the service. */
export interface Memory {
  readonly idle: number;
  readonly connected: number;
  readonly active: number;
  readonly waiting: number;
  /** Medians of the second fifth of the churn and of its last. */
  readonly early: number;
  readonly late: number;
}

/** Connections that are replaced in a round, and tool calls. */
const replaced = 50;
const calls = 200;
const roundMs = 500;
const allowedShare = 1.05;
const allowedBytes = 8 * 2 ** 20;

/** The second fifth is behind what a process needs at first; what grows by itself is above it by far in the end. */
export const isFlat = ({ early, late }: Memory): boolean => late <= early * allowedShare + allowedBytes;

/** Holds the executable to its bounds: everything below them is served, everything above them is refused. */
export async function load(options: LoadOptions): Promise<LoadOutcome> {
  const { connections, sessions, turns, say } = options;
  const people = Math.ceil(sessions / 10) + 1;
  await using service = await LoadedService.start(people, {
    MAX_CONNECTIONS: String(connections + 100),
    MAX_CONNECTIONS_PER_TOKEN: String(connections),
    // A server leaves a part of the slots to others, and there are two here.
    TURNS_CONCURRENT: String(Math.ceil(turns * 1.25) + 4),
  });
  const { url, token } = service;
  await using clients = await startMany(new URL("./clients-part.ts", import.meta.url), {
    url,
    token,
    people,
  });
  const idle = await settled(service);
  await clients.ask("open", { count: connections });
  const connected = await settled(service);
  say(`${connections} connections`);
  const connection = await oneMore(service);
  await clients.ask("sessions", { count: sessions });
  const active = await settled(service);
  say(`${sessions} sessions`);

  await service.world.ask("hold");
  await clients.ask("turns", { count: turns });
  const atOnce = numberOf(await service.world.ask("waiting", { count: turns }), "waiting");
  const waiting = await settled(service);
  say(`${atOnce} turns wait for the model`);
  const refusals = await clients.ask("beyond", { first: sessions });
  await service.world.ask("release");
  const answered = numberOf(await clients.ask("answered"), "answered");
  say(`${answered} turns answered`);

  const { resident, rounds } = await churn(service, clients, options);
  const fifth = Math.floor(resident.length / 5);
  return {
    refused: JSON.parse(textOf(await clients.ask("sessions", { count: 0 }), "refused")),
    atOnce,
    answered,
    beyond: { connection, queue: textOf(refusals, "queue"), flight: textOf(refusals, "flight") },
    churned: rounds * replaced,
    events: numberOf(await clients.ask("events"), "events"),
    memory: {
      ...{ idle, connected, active, waiting },
      early: median(resident.slice(fifth, 2 * fifth + 1)),
      late: median(resident.slice(-fifth - 1)),
    },
  };
}

async function churn(service: LoadedService, clients: Part, { churnMs, sessions, say }: LoadOptions) {
  // One that is gone without a word may be counted for a moment longer.
  await clients.ask("close", { count: 2 * replaced });
  const until = performance.now() + churnMs;
  const resident: number[] = [];
  let round = 0;
  for (; round === 0 || performance.now() < until; round++) {
    const began = performance.now();
    await clients.ask("churn", { replaced, calls, sessions, round });
    resident.push(await service.resident());
    if (round % 120 === 119)
      say(`${(round + 1) * replaced} replaced, ${Math.round((resident.at(-1) ?? 0) / 2 ** 20)} MiB`);
    const left = began + roundMs - performance.now();
    if (left > 0 && performance.now() + left < until) await Bun.sleep(left);
  }
  return { resident, rounds: round };
}

/** Once what is garbage has had its time: the process collects it when it likes. */
async function settled(service: LoadedService): Promise<number> {
  await Bun.sleep(1000);
  return service.resident();
}

/** What the connection after the last is told. */
async function oneMore(service: LoadedService): Promise<string> {
  const response = await fetch(`${service.url}/mcp/ws`, {
    headers: {
      ...service.headers,
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-version": "13",
    },
  });
  return `${response.status} ${await response.text()}`;
}
