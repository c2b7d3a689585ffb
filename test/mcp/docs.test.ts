import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Service } from "../e2e/service.ts";
import { users } from "../e2e/surroundings.ts";
import { come, here, startHarbour, tokenFor } from "./harbour.ts";

setDefaultTimeout(30_000);

const page = readFileSync(join(import.meta.dir, "../../docs/mcp.md"), "utf8");
// biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked into field by field
type Wire = any;
const examples: Wire[] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) =>
  JSON.parse(text ?? ""),
);
const requests = examples.filter(({ method }) => method !== undefined);

let service: Service;
let token: string;
beforeAll(async () => {
  service = await startHarbour();
  token = await tokenFor(service, { userId: users.ana });
});
afterAll(() => service[Symbol.asyncDispose]());

async function post(body: unknown): Promise<Wire> {
  const response = await fetch(`${service.url}/mcp?${here}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);
}

describe("docs/mcp.md", () => {
  test.each(requests.map((request) => [request.params.name ?? request.params.uri, request] as const))(
    "shows a request that is answered: %s",
    async (_name, request) => {
      const { result, error } = await post(request);
      expect(error).toBeUndefined();
      expect(result.isError ?? false).toBe(false);
    },
  );

  test("has requests of each kind", () => {
    const methods = new Set(requests.map(({ method }) => method));
    expect([...methods].toSorted()).toEqual(["prompts/get", "resources/read", "tools/call"]);
  });

  test("shows an error as it is", async () => {
    const params = { name: "discord_channels_list", arguments: { limit: 101 } };
    const { result } = await post({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
    expect(examples.filter(({ isError }) => isError)).toEqual([result]);
  });

  test("names the prompts and the addresses that there are", async () => {
    await using client = await come(service);
    const { prompts } = await client.listPrompts();
    for (const { name, arguments: given = [] } of prompts) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\``)) ?? "";
      const named = [...(row.split("|")[2] ?? "").matchAll(/`(\w+)`(\?)?/g)].map(([, one, mark]) => [
        one,
        mark,
      ]);
      expect([name, named.filter(([one]) => given.some((known) => known.name === one))]).toEqual([
        name,
        given.map((known) => [known.name, known.required ? undefined : "?"]),
      ]);
    }
    const { resourceTemplates } = await client.listResourceTemplates();
    const { resources } = await client.listResources();
    const own = resources.map(({ uri }) => uri).filter((uri) => uri.startsWith("discord://me/"));
    for (const uri of [...resourceTemplates.map(({ uriTemplate }) => uriTemplate), ...own])
      expect(page).toContain(`| \`${uri}\` |`);
  });
});
