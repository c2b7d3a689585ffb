import { expect, test } from "bun:test";
import type { Exchange } from "../../../src/simulator/discord/rest/serve.ts";
import { attachContract } from "./openapi-contract.ts";

const plain: Exchange = {
  method: "GET",
  path: "/gateway",
  query: {},
  headers: {},
  body: undefined,
  status: 200,
  responseHeaders: {},
  response: { url: "wss://gateway.discord.gg" },
  isFault: false,
};

function violationsOf(change: Partial<Exchange>, allowed: readonly RegExp[] = []): string[] {
  const listeners: ((exchange: Exchange) => void)[] = [];
  const contract = attachContract(
    {
      onExchange: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
    },
    allowed,
  );
  for (const listener of listeners) listener({ ...plain, ...change });
  return contract.violations.map((violation) => violation.where);
}

const post = { method: "POST", path: "/channels/1/messages" };

test("what fits the description is no violation", () => {
  expect(violationsOf({})).toEqual([]);
});

test("unknown routes, queries, bodies, answers and statuses are violations", () => {
  expect(violationsOf({ path: "/nowhere" })).toEqual(["route"]);
  expect(violationsOf({ path: "/nowhere" }, [/^\/nowhere$/])).toEqual([]);
  expect(violationsOf({ response: {} })).toEqual(["response"]);
  expect(violationsOf({ response: undefined })).toEqual(["response"]);
  expect(violationsOf({ status: 302 })).toEqual(["response"]);
  expect(violationsOf({ status: 404, response: { message: "404: Not Found" } })).toEqual(["response"]);
  expect(violationsOf({ query: { limit: "5" } })).toEqual(["query"]);
  expect(violationsOf({ path: "/guilds/1/members", query: { limit: "x" }, response: [] })).toEqual(["query"]);
  expect(
    violationsOf({ ...post, body: { content: 5 }, status: 400, response: { message: "no", code: 1 } }),
  ).toEqual([]);
  expect(violationsOf({ ...post, body: { content: 5 }, response: {} })).toEqual(["request", "response"]);
  expect(violationsOf({ ...post, body: undefined, response: {} })).toEqual(["request", "response"]);
});

test("the answer of a planted fault is not Discord's, so it is not held to it", () => {
  expect(violationsOf({ status: 302, response: "x", isFault: true })).toEqual([]);
});

test("an upload is held to the description of uploads: its payload, and the fields of its files", () => {
  const upload = (content: unknown, ...fields: readonly string[]) =>
    violationsOf({ ...post, body: { content, files: fields.map((field) => ({ field })) }, response: {} });
  expect(upload("here", "files[0]", "files[9]")).toEqual(["response"]);
  expect(upload(5, "files[0]")).toEqual(["request", "response"]);
  expect(upload("here", "file")).toEqual(["request", "response"]);
  expect(upload("here", "files[10]")).toEqual(["request", "response"]);
});
