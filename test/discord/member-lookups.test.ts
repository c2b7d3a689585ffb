import { describe, expect, test } from "bun:test";
import { type APIGuildMember, GuildMemberFlags } from "discord-api-types/v10";
import {
  MemberLookups,
  type MemberLookupsDeps,
  restsAtOnce,
  waitingPeopleBound,
} from "../../src/discord/state/member-lookups.ts";
import { AppError } from "../../src/errors.ts";
import { chaosWorld, personIds, runs } from "../chaos/world.ts";
import { Rig } from "./harness.ts";
import { failure, signal } from "./rest/site.ts";

/** Without the privileged intents: members that are named may be asked for all the same. */
const plain = { DISCORD_INTENTS: "none" };

const lookupsIn = (rig: Rig) =>
  rig.sim.requests.filter(({ method, path }) => method === "GET" && /\/guilds\/\d+\/members\/\d+$/.test(path))
    .length;
const namedIn = (rig: Rig) =>
  rig.sim.gatewayNotes.flatMap(({ kind, named = 0 }) => (kind === "members_requested" ? [named] : []));

describe("many people who are looked up at once", () => {
  test("are asked of the gateway, a hundred at a time", async () => {
    const people = personIds(450);
    await using rig = await Rig.start({ env: plain, simulator: { seed: chaosWorld(450) } });
    const facts = await Promise.all(people.map((id) => rig.discord.facts.member(runs, id, signal)));
    expect(facts.map(({ userId }) => userId)).toEqual([...people]);
    expect(facts.map(({ name }) => name)).toEqual(people.map((_, at) => `Person ${at}`));
    const named = namedIn(rig);
    expect(Math.max(...named)).toBe(100);
    expect(named.reduce((sum, one) => sum + one, 0) + lookupsIn(rig)).toBe(people.length);
    expect(lookupsIn(rig)).toBeLessThan(100);
  });

  test("and strangers among them are not found", async () => {
    const people = personIds(60);
    await using rig = await Rig.start({ env: plain, simulator: { seed: chaosWorld(50) } });
    const found = await Promise.all(
      people.map((id) =>
        rig.discord.facts.member(runs, id, signal).then(
          () => "member",
          ({ code }: AppError) => code,
        ),
      ),
    );
    expect(found).toEqual(people.map((_, at) => (at < 50 ? "member" : "not_found")));
    expect(namedIn(rig).length).toBeGreaterThan(0);
  });

  test("are asked by REST when the gateway says that it was too much", async () => {
    const people = personIds(60);
    await using rig = await Rig.start({ env: plain, simulator: { seed: chaosWorld(60) } });
    rig.sim.faults.gateway.refuseMembers(1);
    const facts = await Promise.all(people.map((id) => rig.discord.facts.member(runs, id, signal)));
    expect(facts.map(({ userId }) => userId)).toEqual([...people]);
    expect(namedIn(rig)).toHaveLength(1);
    expect(lookupsIn(rig)).toBe(people.length);
  });

  test("are asked by REST while the gateway is away", async () => {
    const people = personIds(12);
    await using rig = await Rig.start({ env: plain, simulator: { seed: chaosWorld(12) } });
    const shard = () => rig.discord.status().shards[0]?.state;
    rig.sim.faults.gateway.refuseConnections();
    rig.sim.faults.gateway.disconnectAll();
    while (shard() === "ready") await new Promise((resolve) => setImmediate(resolve));
    const facts = await Promise.all(people.map((id) => rig.discord.facts.member(runs, id, signal)));
    expect(facts.length).toBe(12);
    expect([lookupsIn(rig), namedIn(rig)]).toEqual([12, []]);
  });
});

const memberOf = (id: string, part: { roles?: string[]; nick?: string } = {}): APIGuildMember => ({
  user: { id, username: id, discriminator: "0", global_name: null, avatar: null },
  ...{ roles: [], joined_at: "2025-01-01T00:00:00Z", deaf: false, mute: false },
  flags: GuildMemberFlags.DidRejoin,
  ...{ pending: false, communication_disabled_until: null, avatar: null, banner: null },
  ...part,
});

/** Questions are answered by the test. */
function asking(part: Partial<MemberLookupsDeps> = {}) {
  const rests: { readonly userId: string; readonly answer: PromiseWithResolvers<APIGuildMember> }[] = [];
  const requests: {
    readonly guildId: string;
    readonly userIds: readonly string[];
    readonly nonce: string;
  }[] = [];
  const waiters = new Set<() => void>();
  const heard = () => {
    for (const look of waiters) look();
  };
  const lookups = new MemberLookups({
    reader: {
      member(_guildId, userId) {
        const answer = Promise.withResolvers<APIGuildMember>();
        rests.push({ userId, answer });
        heard();
        return answer.promise;
      },
    },
    request(guildId, userIds, nonce) {
      requests.push({ guildId, userIds, nonce });
      heard();
    },
    isTrusted: () => true,
    shardOf: () => 0,
    now: () => 0,
    ...part,
  });
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = () => {
        if (!isSo()) return;
        waiters.delete(look);
        resolve();
      };
      waiters.add(look);
      look();
    });
  const chunk = (at: number, members: readonly APIGuildMember[], more: object = {}) => {
    const { guildId = "", nonce = "" } = requests[at] ?? {};
    lookups.arrived({
      guild_id: guildId,
      ...{ members: [...members], chunk_index: 0, chunk_count: 1, nonce, ...more },
    });
  };
  /** As many as REST takes at once, so that whoever comes next waits. */
  const busy = () => Array.from({ length: restsAtOnce }, (_, at) => lookups.member("9", `9${at}`, signal));
  return { lookups, rests, requests, until, chunk, busy };
}

describe("who asks about the same person", () => {
  test("shares a question that has not been put, and no other", async () => {
    const { lookups, rests, requests, until, chunk, busy } = asking();
    const first = lookups.member("1", "2", signal);
    expect(rests.map(({ userId }) => userId)).toEqual(["2"]);
    busy();
    // The first is on its way: what it brings may be older than what these want to know.
    const later = [lookups.member("1", "2", signal), lookups.member("1", "2", signal)];
    await until(() => requests.some(({ userIds }) => userIds.includes("2")));
    rests[0]?.answer.resolve(memberOf("2", { roles: ["7"] }));
    expect((await first).roles).toEqual(["7"]);
    const again = lookups.member("1", "2", signal);
    const at = requests.findIndex(({ userIds }) => userIds.includes("2"));
    chunk(at, [memberOf("2", { roles: [] })]);
    for (const one of later) expect((await one).roles).toEqual([]);
    expect(rests.filter(({ userId }) => userId === "2").length).toBe(2);
    rests.findLast(({ userId }) => userId === "2")?.answer.resolve(memberOf("2", { roles: ["8"] }));
    expect((await again).roles).toEqual(["8"]);
    lookups[Symbol.dispose]();
  });

  test("gives up alone", async () => {
    const { lookups, requests, until, chunk, busy } = asking();
    busy();
    const controller = new AbortController();
    const one = lookups.member("1", "2", controller.signal);
    const other = lookups.member("1", "2", signal);
    controller.abort(new AppError("cancelled", "Given up."));
    expect(await failure(one)).toMatchObject({ code: "cancelled" });
    await until(() => requests.length === 1);
    chunk(0, [memberOf("2")]);
    expect((await other).user.id).toBe("2");
    lookups[Symbol.dispose]();
  });

  test("is not asked for once nobody wants to know", async () => {
    const { lookups, requests, until, busy } = asking();
    busy();
    const controller = new AbortController();
    const lost = lookups.member("1", "2", controller.signal);
    controller.abort(new AppError("cancelled", "Given up."));
    await failure(lost);
    void lookups.member("1", "3", signal).catch(() => {});
    await until(() => requests.length === 1);
    expect(requests[0]?.userIds).toEqual(["3"]);
    lookups[Symbol.dispose]();
  });
});

describe("what the gateway does not answer is asked by REST:", () => {
  test.each([
    ["who is not in its chunks", [], {}],
    ["a member without what decides whether they may speak", [{ pending: undefined }], {}],
    [
      "a member of whom it is not said whether they are timed out",
      [{ communication_disabled_until: undefined }],
      {},
    ],
    ["a member that makes no sense", [{ roles: [null] }], {}],
  ])("%s", async (_what, parts) => {
    const { lookups, rests, requests, until, chunk, busy } = asking();
    busy();
    const asked = lookups.member("1", "2", signal);
    await until(() => requests.length === 1);
    chunk(
      0,
      parts.map((part) => Object.assign(memberOf("2"), part)),
    );
    rests[0]?.answer.resolve(memberOf("90"));
    await until(() => rests.some(({ userId }) => userId === "2"));
    rests.findLast(({ userId }) => userId === "2")?.answer.resolve(memberOf("2", { nick: "Ana" }));
    expect((await asked).nick).toBe("Ana");
    lookups[Symbol.dispose]();
  });

  test("a request that stays without an answer, and the gateway is left alone for a minute then", async () => {
    const clock = { now: 0 };
    const { lookups, rests, requests, until, chunk, busy } = asking({ answerMs: 1, now: () => clock.now });
    busy();
    const asked = lookups.member("1", "2", signal);
    await until(() => requests.length === 1);
    // Whoever is asked for now waits for REST, which is slow.
    rests[0]?.answer.resolve(memberOf("90"));
    await until(() => rests.some(({ userId }) => userId === "2"));
    void lookups.member("1", "3", signal).catch(() => {});
    // An answer that comes too late is nobody's.
    chunk(0, [memberOf("2", { nick: "late" })]);
    rests[1]?.answer.resolve(memberOf("91"));
    await until(() => rests.some(({ userId }) => userId === "3"));
    expect(requests.length).toBe(1);
    clock.now = 60_000;
    void lookups.member("1", "4", signal).catch(() => {});
    await until(() => requests.length === 2);
    expect(requests[1]?.userIds).toEqual(["4"]);
    rests.find(({ userId }) => userId === "2")?.answer.resolve(memberOf("2", { nick: "Ana" }));
    expect((await asked).nick).toBe("Ana");
    lookups[Symbol.dispose]();
  });

  test("a request that is refused, and others about that server for as long as the gateway says", async () => {
    const clock = { now: 0 };
    const { lookups, rests, requests, until, chunk, busy } = asking({ now: () => clock.now });
    busy();
    const asked = lookups.member("1", "2", signal);
    await until(() => requests.length === 1);
    const meta = { guild_id: "1", nonce: requests[0]?.nonce ?? "" };
    lookups.refused({ opcode: 8, retry_after: 2.5, meta });
    rests[0]?.answer.resolve(memberOf("90"));
    await until(() => rests.some(({ userId }) => userId === "2"));
    void lookups.member("1", "3", signal).catch(() => {});
    const other = lookups.member("7", "3", signal);
    await until(() => requests.length === 2);
    expect(requests[1]).toMatchObject({ guildId: "7", userIds: ["3"] });
    chunk(1, [memberOf("3")]);
    expect((await other).user.id).toBe("3");
    clock.now = 2500;
    await until(() => requests.length === 3);
    expect(requests[2]).toMatchObject({ guildId: "1", userIds: ["3"] });
    rests.find(({ userId }) => userId === "2")?.answer.resolve(memberOf("2", { nick: "Ana" }));
    expect((await asked).nick).toBe("Ana");
    lookups[Symbol.dispose]();
  });

  test.each([
    ["as if it were never", 1e300, 60_000],
    ["before it was asked", -5, 0],
  ])("and a time to wait that is %s is held to a minute", async (_what, retry_after, free) => {
    const clock = { now: 0 };
    const { lookups, requests, until, busy } = asking({ now: () => clock.now });
    busy();
    lookups.refused({ opcode: 8, retry_after, meta: { guild_id: "1" } });
    clock.now = free;
    void lookups.member("1", "2", signal).catch(() => {});
    await until(() => requests.length === 1);
    lookups[Symbol.dispose]();
  });

  test("a chunk of another process, server or person is no answer", async () => {
    const { lookups, requests, until, chunk, busy } = asking();
    busy();
    const asked = lookups.member("1", "2", signal);
    await until(() => requests.length === 1);
    chunk(0, [memberOf("2", { nick: "of another process" })], { nonce: "members 1" });
    chunk(0, [memberOf("2", { nick: "of another server" })], { guild_id: "7" });
    chunk(0, [memberOf("3")], { chunk_count: 2 });
    chunk(0, [memberOf("2", { nick: "Ana" })], { chunk_index: 1, chunk_count: 2 });
    expect((await asked).nick).toBe("Ana");
    lookups[Symbol.dispose]();
  });
});

describe("at its bounds", () => {
  test("who waits for twenty seconds is refused", async () => {
    const clock = { now: 0 };
    const { lookups, busy } = asking({ isTrusted: () => false, now: () => clock.now });
    busy();
    const asked = lookups.member("1", "2", signal);
    clock.now = 20_001;
    expect(await failure(asked)).toMatchObject({ code: "rate_limited", retryAfterMs: 5000 });
    lookups[Symbol.dispose]();
  });

  test("so many people wait and no more", async () => {
    const { lookups, busy } = asking({ isTrusted: () => false });
    busy();
    const waiting = Array.from({ length: waitingPeopleBound }, (_, at) =>
      failure(lookups.member("1", `${at}`, signal)),
    );
    const refused = await failure(lookups.member("1", "one more", signal));
    expect(refused).toMatchObject({ code: "rate_limited", retryAfterMs: 5000 });
    // Whoever is asked about already is no further person.
    void lookups.member("1", "0", signal).catch(() => {});
    lookups[Symbol.dispose]();
    expect(await waiting[0]).toMatchObject({ code: "rate_limited" });
  });

  test("one server's many do not keep another's one waiting", async () => {
    const { lookups, rests, busy } = asking({ isTrusted: () => false });
    busy();
    for (let at = 0; at < 100; at++) void lookups.member("1", `1${at}`, signal).catch(() => {});
    void lookups.member("2", "alone", signal).catch(() => {});
    for (const { answer } of rests.splice(0, 2)) answer.resolve(memberOf("9"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(rests.map(({ userId }) => userId)).toContain("alone");
    lookups[Symbol.dispose]();
  });

  test("the gateway is asked only so often", async () => {
    const clock = { now: 0 };
    const { lookups, requests, until, chunk, busy } = asking({ now: () => clock.now });
    busy();
    for (let at = 0; at < 4000; at++) void lookups.member("1", `1${at}`, signal).catch(() => {});
    await until(() => requests.length === 20);
    for (let at = 0; at < 20; at++)
      chunk(
        at,
        (requests[at]?.userIds ?? []).map((id) => memberOf(id)),
      );
    clock.now = 1700;
    await until(() => requests.length === 22);
    await new Promise((resolve) => setImmediate(resolve));
    expect(requests.length).toBe(22);
    expect(new Set(requests.map(({ nonce }) => nonce)).size).toBe(22);
    for (const { nonce } of requests) expect(nonce.length).toBeLessThanOrEqual(32);
    lookups[Symbol.dispose]();
  });
});
