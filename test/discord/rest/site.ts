import { expect } from "bun:test";
import { createRestClients } from "../../../src/discord/rest/client.ts";
import { createRestReader } from "../../../src/discord/rest/reader.ts";
import { createRestWriter } from "../../../src/discord/rest/writer.ts";
import { AppError } from "../../../src/errors.ts";
import type { Exchange } from "../../../src/simulator/discord/rest/serve.ts";
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../../src/simulator/discord/simulator.ts";
import type { Change, DiscordReader, DiscordWriter } from "../../../src/tools/discord-port.ts";
import { attachContract } from "../../simulator/discord/openapi-contract.ts";

export interface RestSite extends AsyncDisposable {
  readonly simulator: DiscordSimulator;
  readonly reader: DiscordReader;
  readonly writer: DiscordWriter;
  /** Since the start, or since the last call. */
  newRequests(): readonly Exchange[];
}

export const signal = new AbortController().signal;

/** A change without a reason. */
export const plainly: Change = { signal };

/** The real REST clients before a simulated Discord. Disposing it fails the test when Discord's description was broken. */
export async function startRestSite(options: DiscordSimulatorOptions = {}): Promise<RestSite> {
  const simulator = await startDiscordSimulator({ rateLimits: "off", ...options });
  const contract = attachContract(simulator);
  const clients = createRestClients(simulator.token, simulator.apiUrl);
  let seen = 0;
  return {
    simulator,
    reader: createRestReader(clients.reads),
    writer: createRestWriter(clients.writes),
    newRequests() {
      const fresh = simulator.requests.slice(seen);
      seen = simulator.requests.length;
      return fresh;
    },
    async [Symbol.asyncDispose]() {
      clients.dispose();
      await simulator[Symbol.asyncDispose]();
      expect(contract.violations).toEqual([]);
    },
  };
}

/** The AppError that it fails with. Fails when it does not fail, or otherwise. */
export async function failure(attempt: Promise<unknown>): Promise<AppError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("It did not fail");
}
