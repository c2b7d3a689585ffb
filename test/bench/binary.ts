import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Milliseconds from the start of its process to its being ready. */
export async function startTime(binary: string, folder: string | null): Promise<number> {
  const began = performance.now();
  await using server = await launch(binary, folder);
  await untilReady(server.url, await headersOf(folder));
  return performance.now() - began;
}

/** Starts an executable's server on a folder of its own, if it needs one, and waits until it says where it listens. */
export async function launch(binary: string, folder: string | null) {
  const child = Bun.spawn({
    cmd: [binary],
    env: {
      DATABASE_URL: join(folder ?? "", "bench.db"),
      MCP_PORT: "0",
      RATE_LIMIT_TOKEN: "999999999/1",
      RATE_LIMIT_ADDRESS: "999999999/1",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let url: string | undefined;
  while (url === undefined) {
    const { done, value } = await said.read();
    if (done) throw new Error(`${binary} has ended: ${text}`);
    text += value;
    url = /http:\/\/127\.0\.0\.1:\d+(?=\D)/.exec(text)?.[0];
  }
  const drained = (async () => {
    while (!(await said.read()).done);
  })();
  return {
    pid: child.pid,
    url,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
      await drained;
    },
  };
}

export async function untilReady(url: string, headers: Record<string, string>): Promise<void> {
  for (;;) {
    const { status } = await fetch(`${url}/health/ready`, { headers });
    if (status === 200) return;
    if (status !== 503) throw new Error(`/health/ready answers ${status}`);
    await Bun.sleep(1);
  }
}

/** The operator's token of a service that has begun there; hello world has none. */
export async function headersOf(folder: string | null): Promise<Record<string, string>> {
  const file = folder === null ? null : join(folder, "operator-token");
  const token = file === null ? "" : (await readFile(file, "utf8")).trim();
  return { authorization: `Bearer ${token}` };
}
