import { type Facts, numberOf, textOf } from "../bench/parts.ts";
import { personIds, servers } from "../chaos/world.ts";
import { hostileClients } from "./hostile-clients.ts";
import { LoadedService, startMany } from "./service.ts";

const quietPart = new URL("./quiet-part.ts", import.meta.url);
const hostilePart = new URL("./hostile-part.ts", import.meta.url);

/** What a quiet client notices of a hostile one; milliseconds. */
export interface Beside {
  readonly kind: string;
  readonly asked: number;
  readonly refused: number;
  readonly median: number;
  readonly p99: number;
  /** Resident bytes of the service before it, and at its end. */
  readonly before: number;
  readonly after: number;
  /** What became of the hostile client's doings. */
  readonly tally: Readonly<Record<string, number>>;
}

export interface HostileOptions {
  /** How long each lasts. */
  readonly ms: number;
  readonly say: (line: string) => void;
}

/** Hostile clients one after the other, beside a quiet one with another token. Limits are those that the service has by itself. */
export async function hostile({ ms, say }: HostileOptions): Promise<readonly Beside[]> {
  const people = 3;
  const limits = { RATE_LIMIT_TOKEN: "1200/60", RATE_LIMIT_ADDRESS: "2400/60" };
  await using service = await LoadedService.start(people, limits);
  const { url } = service;
  const place = placeOf(people);
  await using quiet = await startMany(quietPart, { url, token: await service.makeToken("quiet"), place });
  await using loud = await startMany(hostilePart, { url, token: await service.makeToken("loud"), place });
  const rows: Beside[] = [];
  for (const [n, kind] of [null, ...Object.keys(hostileClients)].entries()) {
    // Each has a token and an address of its own, or the limits that the one before it has met would keep it out.
    const client = { token: await service.makeToken(`loud ${n}`), address: `127.0.1.${n + 1}` };
    const before = await service.resident();
    if (kind !== null) await loud.ask("begin", { kind, ...client });
    const figures = await quiet.ask("measure", { ms });
    const after = await service.resident();
    const tally = kind === null ? {} : JSON.parse(textOf(await loud.ask("end"), "tally"));
    rows.push({ kind: kind ?? "nobody", ...timesOf(figures), before, after, tally });
    say(`beside ${kind ?? "nobody"}: ${JSON.stringify(figures)}`);
  }
  return rows;
}

function placeOf(people: number): string {
  const [user_id = ""] = personIds(people);
  const [{ id: guild_id, channelIds }] = servers;
  return JSON.stringify({ user_id, guild_id, channel_id: channelIds[0] });
}

const timesOf = (facts: Facts) => ({
  asked: numberOf(facts, "asked"),
  refused: numberOf(facts, "refused"),
  median: numberOf(facts, "median"),
  p99: numberOf(facts, "p99"),
});

export function hostileTable(rows: readonly Beside[]): string {
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
  const lines = rows.map(({ kind, median, p99, refused, before, after, tally }) => {
    const counted = Object.entries(tally).map(([what, n]) => `${what} ${n.toLocaleString("en")}`);
    const cells = [
      kind,
      `${median.toFixed(2)} ms`,
      `${p99.toFixed(1)} ms`,
      refused,
      `${mib(before)} → ${mib(after)} MiB`,
    ];
    return `| ${[...cells, counted.join(", ")].join(" | ")} |`;
  });
  return [
    "| beside | median | 99 of 100 within | refused | resident | the hostile client |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}
