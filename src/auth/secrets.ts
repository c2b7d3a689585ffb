import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 bits as 43 base64url characters: cannot be guessed, so a plain hash of it is safe to store. */
export const secretPattern = "[A-Za-z0-9_-]{43}";

export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

export function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text, "utf8").digest();
}

/** In a time that does not tell where they differ; a difference in length is no secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
