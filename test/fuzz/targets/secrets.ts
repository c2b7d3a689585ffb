import { generateKeyPairSync, sign } from "node:crypto";
import { ProtocolError } from "@modelcontextprotocol/server";
import fc from "fast-check";
import { createSessionTokens } from "../../../src/auth/session-token.ts";
import { createInteractionVerifier } from "../../../src/auth/signatures.ts";
import { createTickets } from "../../../src/auth/tickets.ts";
import { page } from "../../../src/mcp/paging.ts";
import { createStateSeal } from "../../../src/mcp/sealed-state.ts";
import { callUri, readUri } from "../../../src/mcp/uris.ts";
import { equal, holds, refusedOr } from "../holds.ts";
import { nasty, scrambled } from "../mutate.ts";
import { target } from "../target.ts";

const now = () => 1_800_000_000_000;
const claims = {
  sessionId: "s_1",
  userId: "100000000000000001",
  channelId: "100000000000000002",
  tokenId: "t_1",
};
const anything = fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), fc.constant("x".repeat(5000)));
const orSwapped = (texts: readonly string[]) =>
  fc.oneof({ arbitrary: scrambled(texts), weight: 4 }, anything);

export const sessionTokens = target(
  "session-tokens",
  "no text but an issued session token is one",
  1000,
  () => {
    const tokens = createSessionTokens({ secretKey: "k".repeat(43), now });
    const others = createSessionTokens({ secretKey: "l".repeat(43), now });
    const { token } = tokens.issue(claims);
    const second = tokens.issue({ ...claims, sessionId: "s_2" }).token;
    return {
      inputs: orSwapped([token, second, others.issue(claims).token]),
      async check(text) {
        const read = await refusedOr(() => tokens.verify(text));
        if (text === token || text === second) holds(read !== undefined, "an issued token is refused");
        else equal(read, undefined, "a token that was not issued");
        return read === undefined ? "refused" : "taken";
      },
    };
  },
);

export const tickets = target("tickets", "no text but an issued ticket is one, and once", 500, () => {
  const desk = createTickets({ now });
  const principal = {
    kind: "anonymous",
    tokenId: null,
    userId: null,
    sessionId: null,
    scopes: new Set<never>(),
    guildIds: null,
  } as const;
  return {
    inputs: fc.tuple(scrambled(["-"]), anything, fc.nat(100)),
    async check([change, other, at]) {
      const { token } = desk.issue(principal);
      for (const text of [
        other,
        token + change,
        token.slice(0, at % token.length),
        token.replace(token.charAt(at % 40), "~"),
      ])
        if (text !== token)
          equal(await refusedOr(() => desk.redeem(text)), undefined, "a ticket that was not issued");
      equal(desk.redeem(token), principal, "whose ticket it is");
      equal(await refusedOr(() => desk.redeem(token)), undefined, "a ticket that was used");
      return "taken";
    },
  };
});

export const sealedState = target(
  "sealed-state",
  "no text but sealed state opens, and for what it was made alone",
  1000,
  () => {
    const seal = createStateSeal("k".repeat(43), now);
    const state = { approvalId: "a_1", turnId: null, expiresAt: now() + 1000 };
    const sealed = seal.seal(state, "call 1");
    const expired = seal.seal({ ...state, expiresAt: now() - 1 }, "call 1");
    return {
      inputs: fc.record({
        text: orSwapped([sealed, expired]),
        boundTo: fc.constantFrom("call 1", "call 1", "call 2", ""),
      }),
      async check({ text, boundTo }) {
        const opened = await refusedOr(() => seal.open(text, boundTo));
        // Base64 takes some texts that are written otherwise for the same bytes.
        const isOurs =
          Buffer.from(text, "base64url").equals(Buffer.from(sealed, "base64url")) && boundTo === "call 1";
        equal(opened, isOurs ? state : undefined, "what it opens to");
        return isOurs ? "opened" : "refused";
      },
    };
  },
);

export const addresses = target(
  "addresses",
  "any cursor and any resource address is read, or refused",
  1000,
  () => {
    const uris = [
      "discord://guilds/300000000000000001/channels",
      "discord://channels/300000000000000001/messages",
      "discord://users/300000000000000001",
      "discord://me/audit",
      "discord://me/conversations/00000000-0000-4000-8000-000000000000",
      callUri("discord_message_history", { limit: 5, text: "é" }) ?? "",
    ];
    const all = Array.from({ length: 250 }, (_, n) => n);
    return {
      inputs: fc.record({
        uri: orSwapped(uris),
        cursor: orSwapped(["at-100", "at-200", "at-0"]),
        input: nasty,
      }),
      check({ uri, cursor, input }) {
        const read = readUri(uri);
        if (read !== null && "guildId" in read)
          holds(/^\d{15,20}$/.test(read.guildId), `a server ${read.guildId}`);
        const made = callUri("echo", input);
        if (made !== null)
          equal(
            readUri(made),
            { kind: "call", toolName: "echo", input: JSON.parse(JSON.stringify(input ?? {})) },
            "a call's address",
          );
        try {
          const { items } = page(all, cursor);
          holds(items.length <= 100, `a page of ${items.length}`);
        } catch (error) {
          holds(error instanceof ProtocolError, `it throws ${error}`);
        }
        return read === null ? "refused" : read.kind;
      },
    };
  },
);

export const signatures = target(
  "signatures",
  "no interaction but one that is signed, as it came and now, is taken",
  500,
  () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
    const verifier = createInteractionVerifier(raw, now);
    const body = '{"type":1,"id":"1","é":"ü"}';
    const timestamp = `${now() / 1000}`;
    const signature = sign(null, Buffer.from(timestamp + body), privateKey).toString("hex");
    const otherwise = <Value>(value: Value, other: fc.Arbitrary<Value>) =>
      fc.oneof({ arbitrary: fc.constant(value), weight: 3 }, other);
    return {
      inputs: fc.record({
        signature: otherwise<string | null>(
          signature,
          fc.oneof(orSwapped([signature]), fc.constant(null), fc.constant(signature.toUpperCase())),
        ),
        timestamp: otherwise<string | null>(
          timestamp,
          fc.oneof(orSwapped([timestamp]), fc.constant(null), fc.constant("0")),
        ),
        body: otherwise(body, orSwapped([body])),
      }),
      async check(signed) {
        const taken = await refusedOr(() => {
          verifier.verify(signed);
          return true;
        });
        // One text that is split otherwise between the two is the same signed text; Discord's form of the time forbids it.
        const isOurs =
          signed.signature?.toLowerCase() === signature &&
          `${signed.timestamp}${signed.body}` === timestamp + body;
        if (signed.signature === signature && signed.timestamp === timestamp && signed.body === body)
          holds(taken === true, "what is signed is refused");
        holds(isOurs || taken === undefined, "what is not signed is taken");
        return taken === true ? "taken" : "refused";
      },
    };
  },
);
