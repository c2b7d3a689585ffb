import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import type { Actor } from "../../src/actor.ts";
import { AppError } from "../../src/errors.ts";
import { inChannel } from "../../src/tools/audiences.ts";
import { assertKnownWords } from "../../src/tools/policy.ts";
import { fromChannel } from "../../src/tools/sources.ts";
import { type ChangeTool, defineTool, type Tool } from "../../src/tools/tool.ts";
import { allOn, ana, bench, call, channel, denyRole, ids, member, reading, toolThat } from "./harness.ts";

const { ManageNicknames, SendMessages, ViewChannel } = PermissionFlagsBits;

/** Writes in a channel, and counts how often it did. */
function writer(kind: "write" | "destroy", asks?: ChangeTool<never, never, never>["asks"]) {
  const ran: string[] = [];
  const tool: Tool = defineTool({
    name: "write",
    title: "Write",
    description: "Writes.",
    family: "messages",
    kind,
    ...(asks === undefined ? {} : { asks }),
    repeatable: false,
    input: Type.Object(
      { channel_id: Type.Optional(Type.String()), words: Type.String() },
      { additionalProperties: false },
    ),
    output: Type.String(),
    targets: {
      channel: { kind: "channel", argument: "channel_id", absent: "own", needs: SendMessages },
    },
    question: ({ words }, place) => `Write ${words} in ${place.channel.actor.place}?`,
    audience: (_input, place) => inChannel(place.channel),
    run: async ({ words }) => {
      ran.push(words);
      return { value: words, sources: [] };
    },
  });
  return { tool, ran };
}

function writing(kind: "write" | "destroy", policy = {}, asks?: ChangeTool<never, never, never>["asks"]) {
  const { tool, ran } = writer(kind, asks);
  const made = bench([tool], { policy });
  made.facts.everyone = reading | SendMessages;
  const ask = (part: Partial<Parameters<typeof call>[1]> = {}) =>
    call(made.registry, { toolName: "write", input: { words: "hello" }, ...part });
  return { ...made, ran, ask };
}

const never = { signal: new AbortController().signal };
const yes = (fingerprint: string) => ({ approvalId: "a_1", fingerprint, approvedBy: ids.ana });

describe("what asks", () => {
  test("is what destroys, always, and what writes where the server wants it", async () => {
    expect(await writing("destroy").ask()).toMatchObject({ kind: "asked", code: "approval_required" });
    expect(await writing("write").ask()).toMatchObject({ kind: "done" });
    expect(await writing("write", { writes: "ask" }).ask()).toMatchObject({ kind: "asked" });
    expect(await writing("write", { writes: "ask" }, "never").ask()).toMatchObject({ kind: "done" });
    expect((await call(bench([toolThat(() => 1)], { policy: { writes: "ask" } }).registry)).kind).toBe(
      "done",
    );
  });

  test("is a reply elsewhere, but not where the person speaks", async () => {
    const at = writing("write", { writes: "ask" }, "elsewhere");
    at.facts.channelFacts.set(ids.hidden, channel(ids.hidden, { name: "other" }));
    expect(await at.ask()).toMatchObject({ kind: "done" });
    expect(await at.ask({ input: { words: "hello", channel_id: ids.hidden } })).toMatchObject({
      kind: "asked",
    });
  });

  test("does not run, and leaves a row that says so", async () => {
    const at = writing("destroy");
    const { question, text, sources } = await at.ask();
    expect(question).toMatchObject({ text: "Write hello in #general?", publicText: null });
    expect(text).not.toContain("hello");
    expect(sources).toEqual([]);
    expect(at.ran).toEqual([]);
    expect(at.audit).toMatchObject([{ verdict: "asked", reason: "approval_required", approvalId: null }]);
  });

  test("is refused, not asked, when it is not allowed", async () => {
    const at = writing("destroy");
    at.facts.everyone = reading;
    expect(await at.ask()).toMatchObject({ kind: "refused", code: "permission_denied" });
  });
});

describe("a yes", () => {
  test("lets the call run, and is in its row", async () => {
    const at = writing("destroy");
    const { question } = await at.ask();
    expect(await at.ask({ approval: yes(question?.fingerprint ?? "") })).toMatchObject({ kind: "done" });
    expect(at.ran).toEqual(["hello"]);
    expect(at.audit.at(-1)).toMatchObject({ verdict: "done", approvalId: "a_1", approvedBy: ids.ana });
  });

  test("holds for the very call alone", async () => {
    const at = writing("destroy");
    const approval = yes((await at.ask()).question?.fingerprint ?? "");
    expect(await at.ask({ approval, input: { words: "bye" } })).toMatchObject({ kind: "asked" });
    // The order of the arguments says nothing.
    const named = { words: "hello", channel_id: ids.general };
    const other = yes((await at.ask({ input: named })).question?.fingerprint ?? "");
    const turned = { channel_id: ids.general, words: "hello" };
    expect(await at.ask({ approval: other, input: turned })).toMatchObject({ kind: "done" });
    expect(at.ran).toEqual(["hello"]);
  });

  test("is void when what it is about has changed", async () => {
    const at = writing("destroy");
    const approval = yes((await at.ask()).question?.fingerprint ?? "");
    at.facts.channelFacts.set(ids.general, channel(ids.general, { name: "announcements" }));
    expect(await at.ask({ approval })).toMatchObject({
      kind: "asked",
      question: { text: "Write hello in #announcements?" },
    });
    expect(at.ran).toEqual([]);
  });

  test("does not help who has lost the permission since", async () => {
    const at = writing("destroy");
    const approval = yes((await at.ask()).question?.fingerprint ?? "");
    at.facts.everyone = reading;
    expect(await at.ask({ approval })).toMatchObject({ kind: "refused", code: "permission_denied" });
  });

  test("can be given by whoever could do it themselves", async () => {
    const at = writing("destroy");
    const request = { toolName: "write", input: { words: "hello" }, actor: ana };
    const may = (actor: Actor) => at.registry.assertMayApprove({ ...request, ...never }, actor);
    await may(ana);
    await expect(may({ ...ana, userId: ids.ben })).rejects.toMatchObject({ code: "not_found" });
    at.facts.everyone = reading;
    await expect(may(ana)).rejects.toMatchObject({ code: "permission_denied" });
    expect(at.ran).toEqual([]);
  });

  test("is void when who gave it could not do it themselves any more", async () => {
    const at = writing("destroy");
    const asked = await at.ask();
    const approval = { ...yes(asked.question?.fingerprint ?? ""), approvedBy: ids.ben };
    at.facts.members.set(ids.ben, member(ids.ben));
    expect(await at.ask({ approval, turnId: "t_1" })).toMatchObject({ kind: "done" });
    const silenced = { id: ids.ben, type: "member", allow: 0n, deny: SendMessages } as const;
    at.facts.channelFacts.set(ids.general, channel(ids.general, { name: "general", overwrites: [silenced] }));
    const again = await at.ask();
    const later = { ...yes(again.question?.fingerprint ?? ""), approvedBy: ids.ben };
    expect(await at.ask({ approval: later })).toMatchObject({ kind: "asked", question: again.question });
    expect(at.ran).toEqual(["hello"]);
  });

  test("for what somebody does to themselves is given by who may do it to them", async () => {
    const tool = toolThat(() => 1, {
      kind: "destroy",
      targets: {
        member: {
          kind: "member",
          argument: "user_id",
          absent: "self",
          needs: {
            words: "Manage Nicknames for others",
            bits: ({ facts }, userId) => (facts.userId === userId ? 0n : ManageNicknames),
          },
        },
      },
    });
    const at = bench([tool]);
    at.facts.members.set(ids.ben, member(ids.ben));
    const byBen = () =>
      at.registry.assertMayApprove(
        { toolName: "probe", input: {}, actor: ana, ...never },
        { ...ana, userId: ids.ben },
      );
    await expect(byBen()).rejects.toMatchObject({ code: "permission_denied" });
    at.facts.everyone = reading | ManageNicknames;
    await byBen();
  });
});

describe("words from a private place", () => {
  const staffOnly = () => {
    const at = writing("write");
    const hidden = channel(ids.hidden, { name: "staff", overwrites: [denyRole(ids.guild, ViewChannel)] });
    at.facts.channelFacts.set(ids.hidden, hidden);
    return at;
  };

  test("are not written in an open one unasked, though writing runs there", async () => {
    const at = staffOnly();
    expect(await at.ask({ sources: [fromChannel(ids.general)] })).toMatchObject({ kind: "done" });
    const outcome = await at.ask({ sources: [fromChannel(ids.hidden)] });
    expect(outcome).toMatchObject({ kind: "asked" });
    expect(outcome.question?.text).toContain("not everybody there can see");
    // What is to be written may itself be private: those who read along are not shown it.
    expect(outcome.question?.publicText).not.toContain("hello");
    const approval = yes(outcome.question?.fingerprint ?? "");
    expect(await at.ask({ sources: [fromChannel(ids.hidden)], approval })).toMatchObject({ kind: "done" });
  });

  test("are warned of however long the question is", async () => {
    const at = staffOnly();
    const input = { words: "hello ".repeat(400) };
    const { question } = await at.ask({ sources: [fromChannel(ids.hidden)], input });
    expect(question?.text).toContain("not everybody there can see");
    expect(question?.text.length).toBeLessThanOrEqual(1500);
  });

  test("are also those that were said where a turn takes place", async () => {
    const at = staffOnly();
    const inStaff = { ...ana, channelId: ids.hidden };
    const elsewhere = { words: "hello", channel_id: ids.general };
    expect(await at.ask({ actor: inStaff, input: elsewhere, turnId: "t_1" })).toMatchObject({
      kind: "asked",
    });
    // A program that calls directly has heard nothing there.
    expect(await at.ask({ actor: inStaff, input: elsewhere })).toMatchObject({ kind: "done" });
  });

  test("need a new yes when more of them have been read", async () => {
    const at = staffOnly();
    const approval = yes((await at.ask({ sources: [fromChannel(ids.hidden)] })).question?.fingerprint ?? "");
    const more = [fromChannel(ids.hidden), fromChannel(ids.unknown)];
    expect(await at.ask({ sources: more, approval })).toMatchObject({ kind: "asked" });
  });
});

describe("what is switched on", () => {
  const tools = () => [
    toolThat(() => 1, { name: "look", family: "channels" }),
    toolThat(() => 1, { name: "move", family: "channels", kind: "write" }),
    toolThat(() => 1, { name: "drop", family: "channels", kind: "destroy" }),
    toolThat(() => 1, { name: "answer", family: "messages", kind: "write", asks: "elsewhere" }),
    toolThat(() => 1, { name: "note", family: "memory", kind: "write", asks: "never" }),
  ];

  test.each([
    ["all", "look move drop answer note"],
    ["none", "note"],
    ["read", "look note"],
    ["read,reply", "look answer note"],
    ["channels", "look move drop note"],
    ["channels:write,drop", "move drop note"],
  ])("%s: %s", (words, expected) => {
    const at = bench(tools(), { policy: { tools: words.split(",") } });
    expect(at.registry.usable(ana, []).map(({ name }) => name)).toEqual(expected.split(" "));
  });

  test("the rest is refused, saying who can switch it on", async () => {
    const at = bench(tools(), { policy: { tools: ["read"] } });
    expect(await call(at.registry, { toolName: "drop" })).toMatchObject({
      kind: "refused",
      code: "tool_inactive",
      text: expect.stringContaining("GUILD_POLICIES"),
    });
  });

  test("a reply is, where the person speaks alone", async () => {
    const at = writing("write", { tools: ["reply"] }, "elsewhere");
    at.facts.channelFacts.set(ids.hidden, channel(ids.hidden, { name: "other" }));
    expect(await at.ask()).toMatchObject({ kind: "done" });
    expect(await at.ask({ input: { words: "hello", channel_id: ids.hidden } })).toMatchObject({
      kind: "refused",
      code: "tool_inactive",
    });
  });

  test("a word that means nothing is found at the start", () => {
    const check = (word: string) => () => assertKnownWords([{ ...allOn, tools: [word] }], tools());
    for (const word of ["all", "reply", "members:write", "drop"]) expect(check(word)).not.toThrow();
    for (const word of ["member", "members:reply", "discord_nothing"]) expect(check(word)).toThrow(AppError);
  });

  test("what changes something takes a point of the person's limit", async () => {
    const points: string[] = [];
    const take = async (userId: string) => {
      points.push(userId);
      if (points.length > 1) throw new AppError("rate_limited", "Too much.", { retryAfterMs: 500 });
    };
    const at = bench(tools(), { limits: { changes: { take }, lookups: { take: async () => {} } } });
    expect(await call(at.registry, { toolName: "look" })).toMatchObject({ kind: "done" });
    expect(await call(at.registry, { toolName: "move" })).toMatchObject({ kind: "done" });
    expect(await call(at.registry, { toolName: "move" })).toMatchObject({
      kind: "refused",
      code: "rate_limited",
      retryAfterMs: 500,
    });
    expect(points).toEqual([ids.ana, ids.ana]);
  });
});
