import { fileURLToPath } from "node:url";

/** What a part tells: figures and addresses. */
export type Facts = Readonly<Record<string, string | number>>;

export interface Part extends AsyncDisposable {
  readonly pid: number;
  /** What it told when it was ready. */
  readonly facts: Facts;
  /** Has it do something; one at a time. Rejects with what it threw. */
  ask(name: string, facts?: Facts): Promise<Facts>;
}

type Told = { readonly facts: Facts } | { readonly failed: string };

/**
 * Starts a script of this folder in a process of its own, and waits until it is ready. `runtime` is what runs it when
 * it is not to be Bun.
 */
export async function startPart(
  script: URL,
  args: Facts = {},
  runtime: readonly string[] = [process.execPath],
): Promise<Part> {
  let next = Promise.withResolvers<Facts>();
  const child = Bun.spawn({
    cmd: [...runtime, ...profiled(script), fileURLToPath(script), JSON.stringify(args)],
    stdio: ["ignore", "inherit", "inherit"],
    serialization: "json",
    ipc(message: Told) {
      if ("failed" in message) next.reject(new Error(message.failed));
      else next.resolve(message.facts);
    },
    onExit: () => next.reject(new Error(`${script.pathname} has ended`)),
  });
  const facts = await next.promise;
  return {
    pid: child.pid,
    facts,
    ask(name, asked = {}) {
      next = Promise.withResolvers();
      child.send({ name, facts: asked });
      return next.promise;
    },
    async [Symbol.asyncDispose]() {
      next.promise.catch(() => {});
      child.kill();
      await child.exited;
    },
  };
}

/** BENCH_PROFILE=socket-ours has that part write a .cpuprofile into the working folder. */
function profiled(script: URL): readonly string[] {
  const wanted = process.env.BENCH_PROFILE;
  return wanted !== undefined && script.pathname.endsWith(`/${wanted}.ts`) ? ["--cpu-prof"] : [];
}

/** The other end, in the part's own script: says that it is ready, and answers what it is asked until it is killed. */
export function servePart(
  ready: Facts,
  answers: Readonly<Record<string, (facts: Facts) => Promise<Facts> | Facts>>,
): void {
  process.on("message", async (message: { readonly name: string; readonly facts: Facts }) => {
    try {
      const answer = answers[message.name];
      if (answer === undefined) throw new Error(`no such thing to ask: ${message.name}`);
      process.send?.({ facts: await answer(message.facts) });
    } catch (error) {
      process.send?.({ failed: String(error) });
    }
  });
  // Whoever started it is gone, or has had enough; a profile is only written at an exit in good order.
  process.on("disconnect", () => process.exit(0));
  process.on("SIGTERM", () => process.exit(0));
  process.send?.({ facts: ready });
}

/** What the part was started with. */
export function partArgs(): Facts {
  return JSON.parse(process.argv[2] ?? "{}");
}

export function numberOf(facts: Facts, name: string): number {
  const value = facts[name];
  if (typeof value !== "number") throw new Error(`no number ${name} in ${JSON.stringify(facts)}`);
  return value;
}

export function textOf(facts: Facts, name: string): string {
  const value = facts[name];
  if (typeof value !== "string") throw new Error(`no text ${name} in ${JSON.stringify(facts)}`);
  return value;
}
