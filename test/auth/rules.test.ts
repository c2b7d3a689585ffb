import { describe, expect, test } from "bun:test";
import { type Principal, scopes } from "../../src/auth/ports.ts";
import { createRules } from "../../src/auth/rules.ts";
import { ana, ben, elsewhere, general, harbour, refusal, session } from "./harness.ts";

const { assertScope, assertMayOpen, assertMayUse, actorFor } = createRules(() => null);
const ofBot = (userId: string) => createRules(() => userId);

const operator: Principal = {
  kind: "token",
  tokenId: "t",
  userId: null,
  sessionId: null,
  scopes: new Set(scopes),
  guildIds: null,
};
const anas: Principal = { ...operator, userId: ana, scopes: new Set(["sessions"]) };
const ofHarbour: Principal = { ...operator, guildIds: new Set([harbour]) };
const bearer: Principal = { ...anas, kind: "session", sessionId: "s_1", channelId: general };

const forbidden = async (work: () => void) => expect((await refusal(work)).code).toBe("forbidden");

describe("who may do what", () => {
  test("a scope that is lacking is named", async () => {
    assertScope(anas, "sessions");
    expect(await refusal(() => assertScope(anas, "approve"))).toEqual({
      code: "forbidden",
      message: expect.stringContaining("approve"),
    });
  });

  test("a user's token opens sessions for that user alone, an operator's for any", async () => {
    assertMayOpen(anas, { userId: ana, guildId: harbour });
    assertMayOpen(anas, { userId: ana, guildId: null });
    await forbidden(() => assertMayOpen(anas, { userId: ben, guildId: harbour }));
    assertMayOpen(operator, { userId: ben, guildId: null });
  });

  test("a token that is limited to servers opens and uses nothing elsewhere, direct messages included", async () => {
    assertMayOpen(ofHarbour, { userId: ana, guildId: harbour });
    assertMayUse(ofHarbour, session());
    for (const guildId of [elsewhere, null]) {
      await forbidden(() => assertMayOpen(ofHarbour, { userId: ana, guildId }));
      await forbidden(() => assertMayUse(ofHarbour, session({ guildId })));
    }
  });

  test("a user's token uses that user's sessions, whoever opened them", async () => {
    assertMayUse(anas, session({ tokenId: "another" }));
    await forbidden(() => assertMayUse(anas, session({ userId: ben })));
    assertMayUse(operator, session({ userId: ben }));
  });

  test("a session token is good for its session alone, also when its id was taken over", async () => {
    assertMayUse(bearer, session());
    await forbidden(() => assertMayUse(bearer, session({ id: "s_2" })));
    await forbidden(() => assertMayUse(bearer, session({ userId: ben })));
    await forbidden(() => assertMayUse(bearer, session({ channelId: "210000000000000099" })));
  });

  test("a session acts as its user, whoever opened it", () => {
    const actor = { kind: "user", userId: ana, guildId: harbour, channelId: general } as const;
    expect(actorFor(operator, session())).toEqual(actor);
    expect(ofBot(ben).actorFor(anas, session())).toEqual(actor);
  });

  test("only the scope act:bot acts as the bot", async () => {
    expect(ofBot(ben).actorFor(operator, session({ userId: ben }))).toMatchObject({
      kind: "bot",
      userId: ben,
    });
    await forbidden(() => ofBot(ana).actorFor(anas, session()));
    const ordinary = { ...operator, scopes: new Set(scopes.filter((scope) => scope !== "act:bot")) };
    ofBot(ana).assertMayUse(operator, session());
    ofBot(ben).assertMayUse(ordinary, session());
    await forbidden(() => ofBot(ana).assertMayUse(ordinary, session()));
  });
});
