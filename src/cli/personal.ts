import type { Config } from "../config.ts";
import { openStored } from "../database.ts";
import { createErasing } from "../erasing/erasing.ts";
import { serviceLogs } from "../log.ts";
import { createPersonalOperations, type PersonalOperations } from "../operations/personal.ts";
import { isSnowflake } from "../snowflake.ts";
import { UsageError } from "./command.ts";
import { existingDatabase } from "./existing-database.ts";
import { type Operations, openOperations } from "./operations.ts";

/** The operations on what is stored of a person. */
export type Personal = Operations<keyof PersonalOperations>;

export function openPersonal(config: Config): Personal {
  return openOperations(
    config,
    ({ memory: { erasures, eraser, exporter } }) => {
      const logs = serviceLogs(config.dataDir);
      const erasing = createErasing({ erasures, eraser, live: null, logs, now: Date.now });
      const botUserId = () => botUserIn(config.discord.token);
      return createPersonalOperations({ erasing, eraser, exporter, botUserId });
    },
    async () => {
      existingDatabase(config);
      return openStored(config);
    },
  );
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
