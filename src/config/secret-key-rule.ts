/** Keys that stand in public examples, and so protect nothing. */
const exampleKeys = ["your-secret-key-change-this", "your-secret-key-change-this-in-production"];
const advice = "make one with: openssl rand -base64 48";

/** What is wrong with a key, to be put behind its name, or null. Never holds the key. */
export function secretKeyFault(key: string): string | null {
  if (exampleKeys.includes(key.trim())) return `is the example of a document; ${advice}`;
  return Buffer.byteLength(key) < 32 ? `must be at least 32 bytes long; ${advice}` : null;
}
