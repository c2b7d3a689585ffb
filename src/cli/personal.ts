import type { Config } from "../config.ts";
import { askService } from "../control/control.ts";
import { openStored } from "../database.ts";
import { createErasing } from "../erasing/erasing.ts";
import { AppError } from "../errors.ts";
import { serviceLogs } from "../log.ts";
import { createPersonalOperations, type PersonalOperations } from "../operations/personal.ts";
import { isSnowflake } from "../snowflake.ts";
import { UsageError } from "./command.ts";
import { existingDatabase } from "./existing-database.ts";

/** The operations on what is stored of a person: through the service while it runs, else on the database itself. */
export interface Personal extends Disposable {
  ask(operation: keyof PersonalOperations, data: unknown): Promise<unknown>;
}

export async function openPersonal(config: Config): Promise<Personal> {
  if ((await askService(config.dataDir, "status", {})) !== null)
    return {
      async ask(operation, data) {
        const answer = await askService(config.dataDir, operation, data);
        if (answer !== null) return answer.result;
        throw new AppError(
          "shutting_down",
          "The service stopped meanwhile; run this command again: it goes on.",
        );
      },
      [Symbol.dispose]() {},
    };
  existingDatabase(config);
  const stored = await openStored(config);
  const { erasures, eraser, exporter } = stored.memory;
  const logs = serviceLogs(config.dataDir);
  const erasing = createErasing({ erasures, eraser, live: null, logs, now: Date.now });
  const botUserId = () => botUserIn(config.discord.token);
  const operations = createPersonalOperations({ erasing, eraser, exporter, botUserId });
  return {
    ask: (operation, data) => operations[operation](data),
    [Symbol.dispose]: () => stored[Symbol.dispose](),
  };
}

/** A bot's token begins with its user id; null for one that is made otherwise. */
function botUserIn(token: string | null): string | null {
  const id = Buffer.from(token?.split(".")[0] ?? "", "base64").toString("latin1");
  return isSnowflake(id) ? id : null;
}

/** The one person that is named. Throws UsageError. */
export function readUser(positionals: readonly string[]): string {
  const [id, ...more] = positionals;
  if (id === undefined || more.length > 0) throw new UsageError("say whom: one Discord user id");
  // A shorter number stands in many a text that is not about a person, and would be taken out of there.
  if (isSnowflake(id)) return id;
  throw new UsageError(
    "a person is named by their Discord user id, 15 to 20 digits, such as 123456789012345678",
  );
}
