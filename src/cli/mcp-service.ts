import { AppError } from "../errors.ts";
import { exit } from "./command.ts";
import { connectService, type Introduction, type ServiceSocket, type SocketListener } from "./mcp-socket.ts";

export interface ServiceStart {
  /** The command line of a service that ends with its last client. */
  readonly cmd: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How long a service that is being started, or is stopping, is waited for. */
const patienceMs = 30_000;
const pauseMs = 50;
const longestPauseMs = 1000;
const maxComplaint = 4000;

/**
 * A channel to the service of that data folder. Where none runs, one is started that outlives this process
 * and ends with the last of its clients; when several are started at once, the serve lock lets one live, and
 * the others' clients wait for it. Throws AppError with what the service complained about.
 */
export async function openService(
  dataDir: string,
  introduction: Introduction,
  listener: SocketListener,
  start: ServiceStart,
  signal: AbortSignal,
): Promise<ServiceSocket> {
  const deadline = performance.now() + patienceMs;
  let started: Started | null = null;
  let pause = pauseMs;
  while (performance.now() < deadline && !signal.aborted) {
    const attempt = await connectService(dataDir, introduction, listener);
    if (attempt.kind === "open") return attempt.socket;
    const ended: number | null = started === null ? null : started.ended();
    if (ended !== null && ended !== exit.alreadyServing) throw await complaint(started);
    // Another service holds the database, and is starting, stopping, or no service at all: wait longer each time.
    if (ended !== null) pause = Math.min(pause * 2, longestPauseMs);
    if (attempt.kind === "absent" && (started === null || ended !== null)) started = startService(start);
    await Bun.sleep(pause);
  }
  throw new AppError(
    "discord_unavailable",
    `No service has answered in ${dataDir} within ${patienceMs / 1000} seconds; try discord-mcp serve to see why.`,
  );
}

interface Started {
  /** Its exit code; null while it runs. */
  ended(): number | null;
  readonly said: Promise<string>;
}

/** In a process group of its own, so that what is done to a client's group does not reach the others' service. */
function startService({ cmd, cwd, env }: ServiceStart): Started {
  const child = Bun.spawn({
    cmd: [...cmd],
    cwd,
    env: { ...env },
    detached: true,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  child.unref();
  const said = new Response(child.stderr).text();
  return { ended: () => child.exitCode ?? (child.signalCode === null ? null : exit.failure), said };
}

async function complaint(started: Started | null): Promise<AppError> {
  const said = ((await started?.said) ?? "").trim().slice(-maxComplaint);
  return new AppError("internal_error", `The service could not be started:\n${said}`);
}
