import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { bodyOf } from "../http/client.ts";
import { startWorld, type World } from "../http/world.ts";
import { ids } from "../tools/harness.ts";
import { connect, here, kinds, openControl, type TestClient, type Way, ways } from "./clients.ts";

setDefaultTimeout(20_000);

/*
 * Whom a client speaks for, from where, and what it may: by its token, and by what its address claims.
 */

const opened = new AsyncDisposableStack();
let world: World;
beforeAll(async () => {
  world = opened.use(await startWorld());
  opened.use(openControl(world));
});
afterAll(() => opened.disposeAsync());

const stdio: Way = "standard input and output";
// Each connection of the bridge is a process, and whom it speaks for does not hang on the revision.
const everyWay = ways.flatMap((way) =>
  (way === stdio ? kinds.slice(1, 2) : kinds).map((kind) => [way, kind] as const),
);
const otherGuild = "300000000000000009";

const secretOf = async (...spec: Parameters<World["token"]>): Promise<string> =>
  (await world.token(...spec)).secret;

/** Of a session of Ana's in #general, which is given its token when it is opened. */
async function sessionToken(activeTools: readonly string[] = []): Promise<string> {
  const place = { user_id: ids.ana, guild_id: ids.guild, channel_id: ids.general };
  const { token, session_id } = await bodyOf(await world.post("/mcp/initialize", place));
  await world.sessions.updateContext(await world.sessions.get(session_id), { activeTools });
  return String(token);
}

/** A token, an address, and what is said of them. */
type Refused = readonly [string, string, RegExp];

describe.each(everyWay)("%s, %s", (way, kind) => {
  const open = (token: string | null, query: string): Promise<TestClient> =>
    connect(world, way, kind, { token, query });

  async function refusal(token: string, query: string): Promise<string> {
    try {
      await using client = await open(token, query);
      return `let in: ${client.instructions}`;
    } catch (error) {
      return String(error);
    }
  }

  const toolsOf = async ({ raw }: TestClient): Promise<string[]> =>
    (await raw.listTools()).tools.map(({ name }: { readonly name: string }) => name);

  test("a session's token speaks for that session alone", async () => {
    const token = await sessionToken();
    await using client = await open(token, "");
    expect(client.instructions).toContain(`for the user ${ids.ana}, from the server ${ids.guild}`);
    expect(client.instructions).toContain(`from the channel ${ids.general}`);
    expect((await client.call("echo", { value: 1 })).structured.result).toEqual({ value: 1 });
    const { contents } = await client.raw.readResource({ uri: "discord://me/conversation" });
    expect(JSON.parse(contents[0].text).result).toMatchObject({ user_id: ids.ana, channel_id: ids.general });
    const elsewhere = client.raw.readResource({ uri: `discord://guilds/${otherGuild}` });
    await expect(elsewhere).rejects.toMatchObject({ code: expect.any(Number) });
  });

  test("a session's token has the tools that are active there", async () => {
    await using client = await open(await sessionToken(["echo", "close"]), "");
    expect(await toolsOf(client)).toEqual(["echo", "close", "ask"]);
    const { isError, text, meta } = await client.call("wait");
    expect([isError, meta.code]).toEqual([true, "tool_inactive"]);
    expect(text).toContain("active are echo, close");
  });

  test("an operator who names nobody sees the tools and calls none", async () => {
    await using client = await open(world.operator, "");
    expect(client.instructions).toContain("say for whom with user_id");
    expect(await toolsOf(client)).toEqual(["echo", "wait", "fail", "close", "ask"]);
    for (const [name, given] of [
      ["echo", {}],
      ["ask", { message: "hello" }],
    ] as const) {
      const { isError, text, meta } = await client.call(name, given);
      expect([isError, meta]).toEqual([true, { code: "forbidden", path: "user_id" }]);
      expect(text).toContain("speaks for nobody yet");
    }
    const failed = client.raw.readResource({ uri: "discord://me/audit" });
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining("speaks for nobody yet") });
  });

  test("an operator who names somebody has that person's permissions", async () => {
    const token = way === stdio ? null : world.operator;
    await using client = await open(token, `${here}&user_id=${ids.ana}`);
    expect(client.instructions).toContain(`You call for the user ${ids.ana}, from the server ${ids.guild}`);
    world.reach.asked.length = 0;
    expect((await client.call("echo", { value: 1 })).structured.result).toEqual({ value: 1 });
    const who = { kind: "user", userId: ids.ana, guildId: ids.guild, channelId: ids.general } as const;
    expect(world.reach.asked).toEqual([who]);
  });

  test("a token that is good for one server speaks from there", async () => {
    const token = await secretOf({ userId: ids.ana, guildIds: [ids.guild] });
    await using client = await open(token, "");
    expect(client.instructions).toContain(`from the server ${ids.guild}, and from no channel`);
    world.reach.asked.length = 0;
    await client.call("echo", {});
    expect(world.reach.asked).toMatchObject([{ userId: ids.ana, guildId: ids.guild }]);
    await expect(client.raw.readResource({ uri: `discord://guilds/${otherGuild}` })).rejects.toMatchObject({
      message: expect.stringContaining("limited to other servers"),
    });
  });

  test("nobody is let in by what a token does not allow", async () => {
    const ofAna = await secretOf({ userId: ids.ana });
    const limited = await secretOf({ userId: ids.ana, guildIds: [ids.guild] });
    const ofTwo = await secretOf({ userId: ids.ana, guildIds: [ids.guild, otherGuild] });
    const ofSession = await sessionToken();
    const revoked = await world.token({ userId: ids.ana });
    await world.revoke(revoked.tokenId);
    // The bridge's command line says so before it opens anything.
    const byAddress: readonly Refused[] =
      way === stdio
        ? []
        : [
            [ofAna, `user_id=${ids.ben}`, /This token speaks for another Discord user/],
            [ofAna, "guild_id=harbour", /guild_id must be a Discord id, 15 to 20 digits/],
            [ofAna, `channel_id=${"1".repeat(30)}`, /channel_id must be a Discord id/],
            [world.operator, `user_id=${ids.bot}`, /scope act:bot|scope: required "act:bot"/],
          ];
    const cases: readonly Refused[] = [
      [revoked.secret, here, /revoked/],
      [limited, `guild_id=${otherGuild}`, /This token is limited to other servers\./],
      [ofTwo, "", /say from which one you call, with guild_id/],
      [ofSession, `channel_id=${ids.hidden}`, /A session token speaks for its own user from its own channel/],
      [
        await secretOf({ userId: ids.ana, scopes: ["sessions"] }),
        here,
        /scope tools|scope: required "tools"/,
      ],
      ...byAddress,
    ];
    const told = await Promise.all(cases.map(([token, query]) => refusal(token, query)));
    for (const words of told) expect(words).not.toContain("let in");
    // A WebSocket that is not opened tells nothing of why, and the client that insists on its revision keeps it.
    if (way === "WebSocket" || (kind === "2026-07-28" && way !== "in process")) return;
    const expected = cases.map(([, , words]) => expect.stringMatching(words));
    expect(told).toEqual(expected);
  });
});
