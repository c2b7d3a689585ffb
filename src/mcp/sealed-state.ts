import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { AppError } from "../errors.ts";

/** What a client carries from one round of a call to the next. */
const CarriedState = Type.Object(
  {
    approvalId: Type.String(),
    /** Of a turn that the approval is part of; null for a call of its own. */
    turnId: Type.Union([Type.String(), Type.Null()]),
    expiresAt: Type.Number(),
  },
  { additionalProperties: false },
);
export type CarriedState = Static<typeof CarriedState>;

export interface StateSeal {
  /** `boundTo`: what it is good for; opened with anything else it is refused. */
  seal(state: CarriedState, boundTo: string): string;
  /** Throws AppError `invalid_data` for what was altered, made for something else, or has expired. */
  open(text: string, boundTo: string): CarriedState;
}

const ivBytes = 12;
const tagBytes = 16;
const check = Compile(CarriedState);

/**
 * State that goes through the client comes back as whatever the client likes: so it is encrypted and authenticated
 * (AES-256-GCM), and bound to whom and what it was made for.
 * https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
export function createStateSeal(secretKey: string, now: () => number): StateSeal {
  const key = Buffer.from(hkdfSync("sha256", secretKey, "", "discord-mcp mcp request state", 32));
  return {
    seal(state, boundTo) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(boundTo));
      const body = Buffer.concat([cipher.update(JSON.stringify(state)), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString("base64url");
    },
    open(text, boundTo) {
      const state = decrypt(key, text, boundTo);
      if (!check.Check(state) || state.expiresAt <= now()) throw refused();
      return state;
    },
  };
}

function decrypt(key: Buffer, text: string, boundTo: string): unknown {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length <= ivBytes + tagBytes) throw refused();
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivBytes))
      .setAAD(Buffer.from(boundTo))
      .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    const plain = Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]);
    return JSON.parse(plain.toString("utf8"));
  } catch (cause) {
    throw refused(cause);
  }
}

function refused(cause?: unknown): AppError {
  return new AppError("invalid_data", "This state is not ours, or has expired; make the call again.", {
    cause,
  });
}
