import { type Authority, denied } from "../authority.ts";

/** Discord lets nobody do some things to themselves. Throws AppError `permission_denied`. */
export function assertNotSelf(userId: string, { actor }: Authority, what: string): void {
  if (userId === actor.userId) throw denied(`Nobody can ${what} in Discord.`);
}
