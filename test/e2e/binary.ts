import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");
const executable = join(root, "dist/discord-mcp");

function newestSource(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

/** The compiled executable, built when it is missing or older than the source. */
export function binary(): string {
  const sources = Math.max(newestSource(join(root, "src")), newestSource(join(root, "drizzle")));
  if (!existsSync(executable) || statSync(executable).mtimeMs < sources) {
    const build = Bun.spawnSync({
      cmd: [process.execPath, ".ci/build.ts"],
      cwd: root,
      stdout: "pipe",
      stderr: "pipe",
    });
    if (build.exitCode !== 0) throw new Error(`The build failed:\n${build.stdout}${build.stderr}`);
  }
  return executable;
}

export interface Running extends AsyncDisposable {
  readonly pid: number;
  /** Resolves with the match as soon as the output, of both streams, has it. Rejects when the process ends first. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  readonly output: string;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number>;
  write(text: string): void;
}

/** Runs the executable with nothing of this process's environment but what is given. */
export function run(args: readonly string[], cwd: string, env: Record<string, string> = {}): Running {
  const child = Bun.spawn({
    cmd: [binary(), ...args],
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: cwd, ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  let output = "";
  const watchers = new Set<() => void>();
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const part of stream) {
      output += decoder.decode(part, { stream: true });
      for (const watcher of watchers) watcher();
    }
  };
  const ended = Promise.all([read(child.stdout), read(child.stderr)]);
  return {
    pid: child.pid,
    get output() {
      return output;
    },
    waitFor(pattern) {
      const { promise, resolve: found, reject } = Promise.withResolvers<RegExpExecArray>();
      const look = () => {
        const match = pattern.exec(output);
        if (match) found(match);
      };
      watchers.add(look);
      look();
      void ended.then(() => reject(new Error(`It ended without printing ${pattern}:\n${output}`)));
      return promise.finally(() => watchers.delete(look));
    },
    kill: (signal) => child.kill(signal),
    exited: ended.then(() => child.exited),
    write(text) {
      child.stdin.write(text);
      void child.stdin.flush();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
