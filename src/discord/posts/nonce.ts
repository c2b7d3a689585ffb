import { createHash } from "node:crypto";
import type { Post } from "../ports.ts";

const nonceLength = 22;

/** The same post has the same nonce in every process: 22 characters of 25 that Discord takes, https://discord.com/developers/docs/resources/message#create-message */
export function postNonce(purpose: Post["purpose"], subject: string, step: number, ordinal: number): string {
  const named = JSON.stringify([purpose, subject, step, ordinal]);
  return createHash("sha256").update(named).digest("base64url").slice(0, nonceLength);
}
