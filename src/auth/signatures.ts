import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { AppError } from "../errors.ts";

export interface SignedRequest {
  /** The header X-Signature-Ed25519: 128 hex digits. */
  readonly signature: string | null;
  /** The header X-Signature-Timestamp: seconds since 1970. */
  readonly timestamp: string | null;
  /** The body as it came: parsed and written again it would differ. */
  readonly body: string;
}

export interface InteractionVerifier {
  /** Throws AppError `unauthorized` when the signature is not Discord's, or is too old. Discord tries wrong ones on purpose. */
  verify(signed: SignedRequest): void;
}

const windowMs = 5 * 60 * 1000;
/** RFC 8410: what stands before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo. */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

/**
 * Webhook interactions, by the application's public key (64 hex digits, as the developer portal shows it).
 * Throws AppError `invalid_data` when that is none.
 * https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint-validating-security-request-headers
 */
export function createInteractionVerifier(
  publicKey: string,
  now: () => number = Date.now,
): InteractionVerifier {
  const key = importKey(publicKey);
  return {
    verify({ signature, timestamp, body }) {
      if (signature === null || timestamp === null)
        refuse("it needs the headers X-Signature-Ed25519 and X-Signature-Timestamp");
      if (!/^[0-9a-f]{128}$/i.test(signature)) refuse("X-Signature-Ed25519 is not 128 hex digits");
      if (!/^\d{1,12}$/.test(timestamp)) refuse("X-Signature-Timestamp is not a time in seconds");
      // What Discord signs has no expiry of its own: without a window a recorded request could be replayed for ever.
      if (Math.abs(now() - Number(timestamp) * 1000) > windowMs)
        refuse("its timestamp is more than 5 minutes off");
      if (!verify(null, Buffer.from(timestamp + body, "utf8"), key, Buffer.from(signature, "hex")))
        refuse("its signature does not match the application's public key");
    },
  };
}

function importKey(publicKey: string): KeyObject {
  if (!/^[0-9a-f]{64}$/i.test(publicKey)) throw badKey();
  try {
    const der = Buffer.concat([spkiHead, Buffer.from(publicKey, "hex")]);
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch (cause) {
    throw badKey(cause);
  }
}

function badKey(cause?: unknown): AppError {
  const message = "The application's public key must be the 64 hex digits of Discord's developer portal.";
  return new AppError("invalid_data", message, { cause });
}

function refuse(reason: string): never {
  throw new AppError("unauthorized", `This interaction is refused: ${reason}.`);
}
