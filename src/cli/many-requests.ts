import { readConfig } from "../config.ts";

/** Requests that Bun's client has under way at once, when nothing else is said at the start of a process. */
const ofBun = 256;
/** Of them kept for Discord while turns wait for the model. */
const forDiscord = 64;
const name = "BUN_CONFIG_MAX_HTTP_REQUESTS";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What the environment of a service has to say more, so that the model's slow answers leave room for requests to
 * Discord: Bun reads it at the start of a process only. Null when nothing is missing.
 * https://bun.com/docs/runtime/networking/fetch#simultaneous-connection-limit
 */
export function forMoreRequests(
  args: readonly string[],
  env: Env,
): Record<string, string | undefined> | null {
  const [command = "serve"] = args;
  if ((command !== "serve" && !command.startsWith("-")) || env[name] !== undefined) return null;
  const turns = concurrentTurns(env);
  return turns + forDiscord <= ofBun ? null : { ...env, [name]: String(turns + forDiscord) };
}

/** What is wrong with a configuration is said by the command itself. */
function concurrentTurns(env: Env): number {
  try {
    return readConfig(env).turn.concurrent;
  } catch {
    return 0;
  }
}
