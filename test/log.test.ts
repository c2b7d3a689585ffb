import { describe, expect, test } from "bun:test";
import { getLogger, withContext } from "@logtape/logtape";
import fc from "fast-check";
import { configureLogging, redact } from "../src/log.ts";

async function lines(format: "json" | "text", log: () => void): Promise<string[]> {
  const written: string[] = [];
  await using _logging = await configureLogging({
    level: "info",
    format,
    sink: (line) => written.push(line),
  });
  log();
  return written;
}
const logger = getLogger(["discord-mcp", "test"]);

// Shaped like the real ones, and made up.
const secrets = [
  "dmcp_0199a2b3_Qm9ndXMtc2VjcmV0LW9mLTI1Ni1iaXRzLWZvci10ZXN0cw",
  "sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
  `${"MTAwMDAwMDAwMDAwMDAwMDAw"}.${"GaBcDe"}.${"aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789ab"}`,
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
];

describe("redaction", () => {
  test.each(secrets)("takes out %s wherever it stands", async (secret) => {
    for (const format of ["json", "text"] as const) {
      const written = await lines(format, () => {
        logger.info("it said {words}", { words: secret });
        logger.warn(`in the message: ${secret}!`);
        logger.error("nested", { request: { headers: { authorization: `Bearer ${secret}` } } });
        logger.error("thrown", { error: new Error(`failed with ${secret}`) });
        for (const before of ["\n", "\t", "\u009b", "\u2028"]) logger.error(`below: ${before}${secret}`);
      });
      expect(written).toHaveLength(8);
      expect(written.join("")).not.toContain(secret);
      expect(written.join("")).toContain("[redacted]");
    }
  });

  test.each([
    ['{"token":"abc"}', '{"token":"[redacted]"}'],
    ['{"DISCORD_TOKEN":"a\\"b","x":1}', '{"DISCORD_TOKEN":"[redacted]","x":1}'],
    ["password=hunter2 next=1", "password=[redacted] next=1"],
    ["Authorization: Bearer abcdefghijklmnopqrstuvwxyz", "Authorization: [redacted]"],
    ["/webhooks/123/aW50ZXJhY3Rpb246dG9rZW4x/messages", "/webhooks/123/[redacted]/messages"],
    [
      '{"secret_key":"s","token_id":"t_1","input_tokens":12}',
      '{"secret_key":"[redacted]","token_id":"t_1","input_tokens":12}',
    ],
  ])("%s", (line, clean) => {
    expect(redact(line)).toBe(clean);
  });

  test("leaves ordinary lines alone", () => {
    const line =
      '{"session_id":"s_Zm9vYmFyYmF6cXV4MTIzNA","user_id":"123456789012345678","turn_id":"0199a2b3-7c1d-7000-8000-000000000001","ms":12.5}';
    expect(redact(line)).toBe(line);
  });

  test.each(["token", "-", "eyJ-", "a.", "sk-", '"token":"\\a'])(
    "takes no longer for each letter of a long line of %s",
    (part) => {
      const line = part.repeat(400_000 / part.length);
      const began = performance.now();
      redact(line);
      // Where time grows with the square of the length, this takes minutes.
      expect(performance.now() - began).toBeLessThan(1000);
    },
  );
});

/** Of a line of JSON, besides its message. */
const ownFields = ["@timestamp", "id", "level", "logger", "message", "what"];

describe("lines", () => {
  test("are JSON with level, logger, properties and the ids of their context", async () => {
    const [line] = await lines("json", () =>
      withContext({ request_id: "r1", turn_id: "t1" }, () => logger.info("done", { ms: 3 })),
    );
    expect(JSON.parse(line ?? "")).toMatchObject({
      level: "INFO",
      message: "done",
      logger: "discord-mcp.test",
      request_id: "r1",
      turn_id: "t1",
      ms: 3,
    });
    expect(line?.endsWith("}\n")).toBe(true);
  });

  test.each(["json", "text"] as const)("neither steer a terminal nor turn around (%s)", async (format) => {
    const [line] = await lines(format, () =>
      logger.info("asked {id}", { id: "\u001b[2J\u009b2J\u2028\u202egnp\u2066" }),
    );
    expect(line).not.toMatch(/[\p{Cc}\u2028\u202e\u2066](?!$)/u);
    expect(line).toContain("\\u009b2J");
  });

  test.each(["json", "text"] as const)(
    "whatever a client sends is one line, and no property but its own (%s)",
    async (format) => {
      const hostile = fc.oneof(
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.constantFrom('"}\n{"level":"ERROR"', "a\r\nb", '\\","forged":"1', "x forged=1", "\u0085forged=1"),
      );
      await fc.assert(
        fc.asyncProperty(hostile, hostile, async (value, id) => {
          const written = await lines(format, () => logger.info("asked", { what: { value }, id }));
          expect(written).toHaveLength(1);
          expect(written[0]?.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
          if (format === "json") expect(Object.keys(JSON.parse(written[0] ?? "")).sort()).toEqual(ownFields);
          else expect(written[0]).toMatch(/ asked what="?\{.*\}"? id=("([^"\\]|\\.)*"|[\w.:/@+[\]-]+)\n$/);
        }),
        { numRuns: 100 },
      );
    },
  );

  test("are one line of text each", async () => {
    const written = await lines("text", () => {
      logger.info("two\nlines", { text: "a\nb", n: 1, big: 2n });
      logger.debug("not at this level");
    });
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^\S+Z INFO +discord-mcp\.test two\\nlines text="a\\nb" n=1 big="2"\n$/);
  });
});
