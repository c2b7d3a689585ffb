import { getLogger } from "@logtape/logtape";
import type { Config } from "../config.ts";
import type { Control } from "../control/control.ts";
import { AppError } from "../errors.ts";
import { version } from "../version.ts";
import { whenAborted } from "../waiting.ts";
import type { Doors } from "./doors.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Work } from "./work.ts";

const log = getLogger(["discord-mcp", "app"]);

/** How long programs wait for Discord's gateway before they are let in without it. */
const readyMs = 5000;
/** How long a drain waits, within its bound, for answers that are being sent. */
const answersMs = 2000;

export interface LifeDeps {
  readonly config: Pick<Config, "http" | "drainMs">;
  readonly work: Pick<Work, "sessions" | "turns" | "discord">;
  readonly doors: Doors;
  readonly control: Control;
  readonly maintenance: Maintenance;
  readonly stored: Disposable;
  /** Called once a drain begins. */
  readonly onDrain: () => void;
  readonly now: () => number;
}

/** The service from its start to its end. */
export interface Life extends AsyncDisposable {
  /** Resumes what was unfinished, listens, connects. Throws AppError when the address cannot be had. */
  start(): Promise<{ readonly url: string; readonly port: number }>;
  /** Takes no more programs when none has been connected for so long and no turn runs, and says whether that is so. */
  retire(quietMs: number): boolean;
  /** Takes no more work, lets running turns finish within config.drainMs, cut short by `hurry`. */
  drain(hurry: AbortSignal): Promise<void>;
}

export function createLife(deps: LifeDeps): Life {
  const { config, control, maintenance, stored, onDrain, now } = deps;
  const { sessions, turns, discord } = deps.work;
  const { http, channels } = deps.doors;

  let disposal: Promise<void> | null = null;
  async function dispose(): Promise<void> {
    await http.stop(0);
    await discord.close({ resumable: true });
    await turns[Symbol.asyncDispose]();
    await maintenance[Symbol.asyncDispose]();
    await sessions[Symbol.asyncDispose]();
    control[Symbol.dispose]();
    stored[Symbol.dispose]();
    log.info("stopped");
  }

  return {
    async start() {
      const address = await http.listen(config.http.host, config.http.port).catch((error: unknown) => {
        throw cannotListen(error, config.http);
      });
      await turns.resume();
      maintenance.start();
      await discord.start();
      // A program that has just started the service asks at once: it should find Discord there.
      const settled = discord.ready.catch(() => {});
      void Promise.race([settled, Bun.sleep(readyMs)]).then(control.acceptChannels);
      log.info("started", { version, url: address.url });
      return address;
    },
    retire(quietMs) {
      const { running, waiting } = turns.stats();
      return running + waiting === 0 && control.retire(quietMs);
    },
    async drain(hurry) {
      onDrain();
      discord.stopIntake();
      const bound = hurry.aborted ? 0 : config.drainMs;
      const until = now() + bound;
      const left = () => (hurry.aborted ? 0 : Math.max(0, Math.min(until - now(), answersMs)));
      await Promise.race([turns.drain(bound), whenAborted(hurry)]);
      if (hurry.aborted) await turns.drain(0);
      await channels.settled(left());
      control.closeChannels();
      await http.stop(left());
    },
    [Symbol.asyncDispose]() {
      disposal ??= dispose();
      return disposal;
    },
  };
}

function cannotListen(error: unknown, { host, port }: Config["http"]): AppError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = code === "EADDRINUSE" ? "is in use" : `cannot be had (${code || "no reason given"})`;
  return new AppError(
    "internal_error",
    `Port ${port} of ${host} ${why}; set MCP_PORT or MCP_HOST to another one.`,
    { cause: error },
  );
}
