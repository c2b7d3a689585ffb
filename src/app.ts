import { join } from "node:path";
import type { TurnEvent } from "./agent/events.ts";
import { choresOf } from "./app/chores.ts";
import { createDoors } from "./app/doors.ts";
import { createLife, type Life } from "./app/life.ts";
import { createMaintenance } from "./app/maintenance.ts";
import { noticesOf } from "./app/notices.ts";
import { createWork } from "./app/work.ts";
import { writeSecretFile } from "./auth/secret-files.ts";
import { createOperatorTokenIfNone, createTokens } from "./auth/tokens.ts";
import type { Config } from "./config.ts";
import { serveControl } from "./control/control.ts";
import { openStored, type Stored } from "./database.ts";
import { createLimits } from "./limits/rate-limits.ts";
import { createMetrics } from "./metrics.ts";
import { createAuditOperations } from "./operations/audit.ts";
import { createKeyOperations } from "./operations/keys.ts";
import { createPersonalOperations } from "./operations/personal.ts";
import { createTokenOperations } from "./operations/tokens.ts";
import { createEventHub } from "./sessions/events.ts";
import { allTools } from "./tools/all.ts";
import type { Tool } from "./tools/tool.ts";
import { version } from "./version.ts";

export interface AppOverrides {
  readonly now?: () => number;
  /** In place of the product's own. */
  readonly tools?: readonly Tool[];
}

export interface App extends Life {
  /** Resolves once Discord's gateway is ready for the first time; at once without Discord. Rejects when it is given up. */
  readonly discordReady: Promise<void>;
  /** What the operator should know after the start, a sentence each. */
  readonly notices: readonly string[];
  /** Every event of every turn; returns what ends that. */
  onTurnEvent(listener: (event: TurnEvent) => void): () => void;
}

/** Puts the service together; nothing listens or connects before `start`. Throws what `openStored` throws. */
export async function createApp(config: Config, overrides: AppOverrides = {}): Promise<App> {
  const now = overrides.now ?? Date.now;
  const stored = await openStored(config, now);
  try {
    return await assemble(config, stored, overrides.tools ?? allTools, now);
  } catch (error) {
    stored[Symbol.dispose]();
    throw error;
  }
}

async function assemble(
  config: Config,
  stored: Stored,
  tools: readonly Tool[],
  now: () => number,
): Promise<App> {
  const { memory } = stored;
  const notices = noticesOf(config, stored.newKeyPath);
  const tokenFile = join(config.dataDir, "operator-token");
  const writeToken = (token: string) => writeSecretFile(tokenFile, `${token}\n`);
  if (await createOperatorTokenIfNone(memory.tokens, writeToken, now))
    notices.push(`the operator's token is in ${tokenFile}`);

  const metrics = createMetrics();
  const limits = createLimits(config.limits, metrics.rateLimited);
  const events = createEventHub();
  const tokens = createTokens(memory.tokens, now);
  const revoke = async (id: string): Promise<boolean> => {
    const revoked = await tokens.revoke(id);
    await doors.closeInvalid();
    return revoked;
  };
  let isDraining = false;
  const work = createWork({ config, memory, tools, events, limits, metrics, revoke, now });
  const doors = createDoors({
    ...{ config, stored, work, tokens, events, limits, metrics, now },
    draining: () => isDraining,
  });
  const maintenance = createMaintenance(choresOf({ config, memory, work, doors, now }));
  const { eraser, exporter } = memory;
  const operations = {
    status: async () => ({ version, storing: memory.ping() }),
    ...createAuditOperations(memory.audit),
    ...createKeyOperations(memory.keys),
    ...createPersonalOperations({
      ...{ erasing: work.erasing, eraser, exporter },
      botUserId: () => work.discord.botUserId(),
    }),
    ...createTokenOperations({ ...tokens, revoke }),
  };
  const control = serveControl(config.dataDir, operations, doors.channels.serve);
  const life = createLife({
    ...{ config, work, doors, control, maintenance, stored, now },
    onDrain() {
      isDraining = true;
    },
  });
  return { ...life, notices, discordReady: work.discord.ready, onTurnEvent: work.onTurnEvent };
}
