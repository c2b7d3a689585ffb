import { createHash, randomBytes } from "node:crypto";

/** Random, since the ids of one process meet those of the next in a stored history. */
export function newId(prefix: "msg" | "req" | "srvtoolu" | "toolu"): string {
  return `${prefix}_sim${randomBytes(15).toString("hex").slice(0, 24)}`;
}

/** What the simulator signs a thinking block with, so that an altered one is refused as the API does. */
export function signThinking(thinking: string): string {
  return createHash("sha256").update(`claude-simulator:${thinking}`).digest("base64");
}
