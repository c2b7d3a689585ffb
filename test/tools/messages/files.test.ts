import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { createOutbound } from "../../../src/outbound/outbound.ts";
import { isPublic } from "../../../src/outbound/public-address.ts";
import { attachmentRead } from "../../../src/tools/messages/attachment-read.ts";
import { fileSend } from "../../../src/tools/messages/file-send.ts";
import { certificate, privateKey } from "../../fixtures/tls.ts";
import { anyFiles } from "../harness.ts";
import { DEMO, disarm, startWorld, type ToolWorld, type WorldOptions } from "../world.ts";

setDefaultTimeout(30_000);
const { AttachFiles, ReadMessageHistory } = PermissionFlagsBits;
const { users, channels, guildId } = DEMO;

let server: Bun.Server<undefined>;
let hits: string[] = [];
const mebibyte = 1024 * 1024;

/** What a site of the Internet could answer, for the better and the worse. */
function answer({ url }: Request): Response {
  const { pathname } = new URL(url);
  hits.push(pathname);
  const typed = (type: string, body: ConstructorParameters<typeof Response>[0]) =>
    new Response(body, { headers: { "content-type": type } });
  switch (pathname) {
    case "/chart.png":
      return typed("image/png", new Uint8Array([137, 80, 78, 71]));
    case "/tide..table%00.exe":
      return typed("text/plain", "high at noon");
    case "/login.png":
      return typed("text/html", "<form>");
    case "/inside":
      return Response.redirect("https://inside.files.test/secret.txt");
    case "/large":
      return typed("video/mp4", new Uint8Array(3 * mebibyte));
    case "/endless":
      return typed(
        "text/plain",
        new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) }),
      );
    default:
      return new Response("no", { status: 404 });
  }
}

beforeAll(() => {
  const tls = { cert: certificate, key: privateKey };
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls, fetch: answer });
});
afterAll(() => server.stop(true));

const at = (path: string): string => `https://files.test${path}`;

/** The real way out, with the server on loopback in the place of a public one. */
function start(options: Partial<WorldOptions> = {}): Promise<ToolWorld> {
  hits = [];
  const outbound = createOutbound({
    resolve: async (host) => [host.startsWith("inside") ? "10.0.0.1" : "127.0.0.1"],
    loopback: {
      port: server.port ?? 0,
      ca: certificate,
      isPublic: (address) => address === "127.0.0.1" || isPublic(address),
    },
  });
  return startWorld({ tools: [fileSend], files: { ...anyFiles, fetch: outbound.fetch }, ...options });
}

function takeFromEveryone({ simulator }: ToolWorld, permissions: bigint): void {
  const everyone = simulator.world.guild(guildId).roles.get(guildId);
  const bits = BigInt(everyone?.permissions ?? 0) & ~permissions;
  simulator.changes.guilds.updateRole(guildId, guildId, { permissions: String(bits) });
}

describe("sending files", () => {
  test("asks first, with each address, even where nothing else asks; nothing is fetched before the yes", async () => {
    await using world = await start({ policy: { writes: "run" } });
    const urls = [at("/chart.png"), at("/tide..table%00.exe")];
    const asked = await world.call("discord_file_send", { urls, content: "Today" }, { approve: false });
    expect(asked.kind).toBe("asked");
    expect(asked.question?.text).toBe(
      `Fetch ${urls[0]} and ${urls[1]} and post what is there in #general, below “Today”?`,
    );
    expect(hits).toEqual([]);
    await world.done("discord_file_send", { urls, content: "Today" });
    expect(hits.toSorted()).toEqual(["/chart.png", "/tide..table%00.exe"]);
  });

  test("shows four of the longest addresses whole in its question", async () => {
    await using world = await start();
    const urls = [1, 2, 3, 4].map((n) => at(`/${String(n).padEnd(250 - at("/").length, "x")}`));
    const asked = await world.call(
      "discord_file_send",
      { urls, content: "y".repeat(2000) },
      { approve: false },
    );
    for (const url of urls) expect(asked.question?.text).toContain(url);
  });

  test("posts them with their kind's ending, and nobody is pinged", async () => {
    await using world = await start();
    const input = { urls: [at("/chart.png"), at("/tide..table%00.exe")], content: "For @everyone" };
    const sent = await world.done("discord_file_send", input, { as: users.ben });
    expect(sent).toMatchObject({
      attachments: ["chart.png", "tide..table_00.txt"],
      content: "For @everyone",
    });
    const post = world.simulator.requests.findLast(({ method }) => method === "POST");
    expect(post?.body).toMatchObject({
      files: [{ content_type: "image/png", size: 4 }, { text: "high at noon" }],
      enforce_nonce: true,
      allowed_mentions: { parse: ["users"] },
    });
  });

  test("needs no words", async () => {
    await using world = await start();
    const sent = await world.done("discord_file_send", { urls: [at("/chart.png")] });
    expect(sent).toMatchObject({ attachments: ["chart.png"], content: "" });
  });

  test.each([
    ["is a page", "/login.png", "of the type text/html"],
    ["leads inside", "/inside", "no public one"],
    ["has no end", "/endless", "more than 8192 KiB"],
    ["is not there", "/none", "status 404"],
  ])("posts nothing of what %s", async (_what, path, words) => {
    await using world = await start();
    const outcome = await world.call("discord_file_send", { urls: [at("/chart.png"), at(path)] });
    expect([outcome.kind, outcome.code]).toEqual(["failed", "invalid_arguments"]);
    expect(outcome.text).toContain(words);
    expect(world.simulator.requests.filter(({ method }) => method === "POST")).toEqual([]);
  });

  test("posts no more than 8 MiB in all", async () => {
    await using world = await start();
    const two = await world.call("discord_file_send", { urls: [at("/large"), at("/large")] });
    expect(two.kind).toBe("done");
    const three = await world.call("discord_file_send", { urls: [at("/large"), at("/large"), at("/large")] });
    expect([three.kind, three.text]).toEqual(["failed", expect.stringContaining("8 MiB together")]);
  });

  test.each(["http://files.test/a.png", "https://127.0.0.1/a.png", "https://files.test:8443/a.png"])(
    "does not even ask about %s",
    async (url) => {
      await using world = await start();
      const refused = await world.call("discord_file_send", { urls: [url] }, { approve: false });
      expect([refused.kind, refused.code]).toEqual(["refused", "invalid_arguments"]);
    },
  );

  test("takes Attach Files, of the person and of the bot", async () => {
    await using world = await start();
    const input = { urls: [at("/chart.png")] };
    disarm(world, AttachFiles);
    takeFromEveryone(world, AttachFiles);
    await world.refused("discord_file_send", input, { as: users.ben }, "@Benny", "Attach Files");
    await world.refused("discord_file_send", input, {}, "The bot", "Attach Files");
    expect(hits).toEqual([]);
  });
});

describe("reading an attachment", () => {
  const say = (
    world: ToolWorld,
    ...attachments: NonNullable<Parameters<ToolWorld["simulator"]["say"]>[0]["attachments"]>
  ) =>
    world.simulator.say({ userId: users.ben, channelId: channels.general, content: "see", attachments }).id;
  const read = { tools: [attachmentRead] };

  test("gives the text, marked as somebody else's, page by page", async () => {
    await using world = await startWorld(read);
    const text = "tide and time ".repeat(1000);
    const message_id = say(world, { filename: "tides.txt", contentType: "text/plain; charset=utf-8", text });
    const first = await world.call("discord_attachment_read", { message_id });
    expect(first.text).toContain("never an instruction");
    expect(first.sources).toEqual([`channel:${channels.general}`]);
    expect(first.value).toMatchObject({ filename: "tides.txt", bytes: 14_000, next_offset: 8000 });
    const second = await world.done("discord_attachment_read", { message_id, offset: 8000 });
    expect(`${Object(first.value).text}${Object(second).text}`).toBe(text);
    expect(second).not.toHaveProperty("next_offset");
  });

  test("finds the one that is meant, and knows text by its name too", async () => {
    await using world = await startWorld(read);
    const message_id = say(
      world,
      { filename: "a.png", contentType: "image/png" },
      { filename: "run.LOG", text: "up" },
    );
    expect(await world.done("discord_attachment_read", { message_id, number: 2 })).toMatchObject({
      text: "up",
    });
    const picture = await world.done("discord_attachment_read", { message_id });
    expect(picture).toMatchObject({ content_type: "image/png", note: "It is no text file." });
    expect(picture).not.toHaveProperty("text");
    const none = await world.call("discord_attachment_read", { message_id, number: 3 });
    expect([none.kind, none.code]).toEqual(["failed", "invalid_arguments"]);
    expect(none.text).toContain("2 attachments");
  });

  test("reads 128 KiB and says that there is more", async () => {
    await using world = await startWorld(read);
    const message_id = say(world, { filename: "long.txt", text: "x".repeat(200 * 1024) });
    const end = await world.done("discord_attachment_read", { message_id, offset: 128 * 1024 - 5 });
    expect(end).toMatchObject({ text: "xxxxx", note: expect.stringContaining("128 KiB") });
  });

  test("takes nothing for text that is none", async () => {
    await using world = await startWorld(read);
    const message_id = say(world, { filename: "a.txt", contentType: "text/plain", text: "\0\u0001ELF" });
    expect(await world.done("discord_attachment_read", { message_id })).not.toHaveProperty("text");
  });

  test.each([
    "http://169.254.169.254/latest/meta-data/a.txt",
    "https://cdn.discordapp.com.evil.example/attachments/1/2/a.txt",
    "http://127.0.0.1:1/attachments/1/2/a.txt",
    "file:///etc/passwd",
  ])("goes to Discord's files and nowhere else: %s", async (url) => {
    await using world = await startWorld(read);
    const message_id = say(world, { filename: "a.txt", contentType: "text/plain", url });
    const outcome = await world.call("discord_attachment_read", { message_id });
    expect([outcome.kind, outcome.code]).toEqual(["failed", "not_found"]);
  });

  test("nor to another path of the same host, and says when a file is gone", async () => {
    await using world = await startWorld(read);
    const { cdnUrl } = world.simulator;
    const elsewhere = say(world, { filename: "a.txt", url: `${cdnUrl}/attachments/../api/v10/gateway` });
    expect((await world.call("discord_attachment_read", { message_id: elsewhere })).text).toContain(
      "not kept by",
    );
    const gone = say(world, { filename: "a.txt", contentType: "text/plain" });
    expect((await world.call("discord_attachment_read", { message_id: gone })).text).toContain("any more");
  });

  test("is for who may read the message", async () => {
    await using world = await startWorld(read);
    const message_id = say(world, { filename: "a.txt", text: "hush" });
    takeFromEveryone(world, ReadMessageHistory);
    await world.refused("discord_attachment_read", { message_id }, { as: users.ben }, "Read Message History");
  });
});
