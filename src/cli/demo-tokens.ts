import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeSecretFile } from "../auth/secret-files.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import { DEMO } from "../simulator/discord/world-seed.ts";
import { perform } from "./token.ts";

/** Whose tokens the demo lays out: a member, and a moderator to compare with. */
const people = { ana: DEMO.users.ana, mika: DEMO.users.moderator };

/** The files of the tokens, whole paths. */
export type DemoTokens = Readonly<Record<keyof typeof people, string>>;

/**
 * Puts a token of each into the data folder, for programs that are to act as one of them. A token that still
 * works is kept, so that a client which was connected once stays so. To be called while the service runs.
 */
export async function layOutTokens(config: Config): Promise<DemoTokens> {
  const live = await liveIds(config);
  const layOut = async (name: keyof typeof people): Promise<string> => {
    const file = join(config.dataDir, `${name}-token`);
    const [, id = ""] = /^dmcp_([0-9a-f]{16})_/.exec(await readFile(file, "utf8").catch(() => "")) ?? [];
    if (!live.has(id)) await writeSecretFile(file, `${await makeToken(config, name)}\n`);
    return file;
  };
  return { ana: await layOut("ana"), mika: await layOut("mika") };
}

async function liveIds(config: Config): Promise<ReadonlySet<unknown>> {
  const rows: unknown = await perform(config, "token_list", {});
  if (!Array.isArray(rows)) return new Set();
  return new Set(rows.filter((row) => row.revoked_at === null).map((row) => row.id));
}

async function makeToken(config: Config, name: keyof typeof people): Promise<string> {
  const made = await perform(config, "token_create", {
    name: `demo-${name}`,
    user_id: people[name],
    scopes: null,
    guild_ids: null,
    expires_at: null,
  });
  if (typeof made === "object" && made !== null && "token" in made) return String(made.token);
  throw new AppError("internal_error", "The service has made no token; start the demo again.");
}
