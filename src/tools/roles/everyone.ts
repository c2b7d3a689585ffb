import { denied } from "../authority.ts";
import type { RolePlace } from "../targets.ts";

/** Its id is the server's. Throws AppError `permission_denied`. */
export function assertNotEveryone({ guildId, facts }: RolePlace, what: string): void {
  if (facts.id === guildId) throw denied(`@everyone is the role of all members: it cannot be ${what}.`);
}
