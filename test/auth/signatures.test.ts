import { describe, expect, test } from "bun:test";
import { generateKeyPairSync, sign } from "node:crypto";
import { createInteractionVerifier, type SignedRequest } from "../../src/auth/signatures.ts";
import { altered, Clock, refusal } from "./harness.ts";

const discord = generateKeyPairSync("ed25519");
const publicKey = discord.publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("hex");

function signed(at: number, body: string, key = discord.privateKey): SignedRequest {
  const timestamp = String(Math.floor(at / 1000));
  return { timestamp, body, signature: sign(null, Buffer.from(timestamp + body), key).toString("hex") };
}

describe("signatures of interactions", () => {
  test("Discord's own are accepted, whatever the body and the case of the digits", () => {
    const clock = new Clock();
    const verifier = createInteractionVerifier(publicKey, clock.now);
    for (const body of ['{"type":1}', "", "žluťoučký 🐎", "x".repeat(100_000)]) {
      const request = signed(clock.at, body);
      verifier.verify(request);
      verifier.verify({ ...request, signature: request.signature?.toUpperCase() ?? null });
    }
    createInteractionVerifier(publicKey.toUpperCase(), clock.now).verify(signed(clock.at, "x"));
  });

  test("a changed body, timestamp or signature, or another key, is refused", async () => {
    const clock = new Clock();
    const verifier = createInteractionVerifier(publicKey, clock.now);
    const good = signed(clock.at, '{"type":1}');
    const stranger = generateKeyPairSync("ed25519").privateKey;
    const bad: SignedRequest[] = [
      { ...good, body: '{"type":2}' },
      { ...good, body: '{"type":1} ' },
      { ...good, timestamp: String(Number(good.timestamp) + 1) },
      { ...good, signature: altered(good.signature ?? "", 0) },
      { ...good, signature: altered(good.signature ?? "", -1) },
      { ...good, signature: "0".repeat(128) },
      signed(clock.at, '{"type":1}', stranger),
    ];
    for (const request of bad) {
      expect(await refusal(() => verifier.verify(request))).toEqual({
        code: "unauthorized",
        message: expect.stringContaining("does not match"),
      });
    }
  });

  test("the border between timestamp and body cannot be moved", async () => {
    const clock = new Clock();
    const verifier = createInteractionVerifier(publicKey, clock.now);
    const good = signed(clock.at, "1{}");
    const moved = { ...good, timestamp: `${good.timestamp}1`, body: "{}" };
    expect((await refusal(() => verifier.verify(moved))).code).toBe("unauthorized");
  });

  test("old and future ones are refused, though signed", async () => {
    const clock = new Clock();
    const verifier = createInteractionVerifier(publicKey, clock.now);
    const fiveMinutes = 5 * 60 * 1000;
    for (const offset of [-fiveMinutes, fiveMinutes]) verifier.verify(signed(clock.at + offset, "{}"));
    for (const offset of [-fiveMinutes - 1000, fiveMinutes + 1000]) {
      const stale = signed(clock.at + offset, "{}");
      expect((await refusal(() => verifier.verify(stale))).message).toContain("5 minutes");
    }
  });

  test("missing and malformed headers are refused", async () => {
    const clock = new Clock();
    const verifier = createInteractionVerifier(publicKey, clock.now);
    const good = signed(clock.at, "{}");
    const bad: Partial<SignedRequest>[] = [
      { signature: null },
      { timestamp: null },
      { signature: "" },
      { signature: good.signature?.slice(2) ?? null },
      { signature: `${good.signature}00` },
      { signature: "zz".repeat(64) },
      { signature: ` ${good.signature?.slice(1)}` },
      { timestamp: "" },
      { timestamp: "now" },
      { timestamp: "-1" },
      { timestamp: "1e9" },
      { timestamp: `${good.timestamp}.0` },
      { timestamp: "9".repeat(400) },
    ];
    for (const part of bad)
      expect((await refusal(() => verifier.verify({ ...good, ...part }))).code).toBe("unauthorized");
  });

  test.each(["", "00", "zz".repeat(32), "0".repeat(65)])("%p is no public key", async (key) => {
    expect((await refusal(() => createInteractionVerifier(key))).code).toBe("invalid_data");
  });
});
