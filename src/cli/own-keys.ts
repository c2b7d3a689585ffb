import { readNextSecretKey, readSecretKey, secretKeyPath } from "../auth/secret-key.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";

export interface OwnKeys {
  readonly secretKey: string;
  /** Another one that may open what is stored, while the key is being changed. */
  readonly previous: string | null;
  /** Where the secret key is, in words for the operator. */
  readonly where: string;
}

/** The secret keys as the service would find them; none is made. Throws AppError when there is none. */
export async function ownKeys({ dataDir, secretKey, secretKeyPrevious }: Config): Promise<OwnKeys> {
  if (secretKey !== null)
    return { secretKey, previous: secretKeyPrevious, where: "SECRET_KEY of the environment or of .env" };
  const path = secretKeyPath(dataDir);
  const kept = await readSecretKey(dataDir);
  if (kept === null)
    throw new AppError(
      "invalid_data",
      `The secret key is missing: put ${path} back, or set SECRET_KEY to that key.`,
    );
  return { secretKey: kept, previous: await readNextSecretKey(dataDir), where: path };
}
