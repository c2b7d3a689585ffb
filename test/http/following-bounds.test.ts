import { expect, test } from "bun:test";
import { ana, bodyOf, connect, initialized } from "./client.ts";
import { startWorld } from "./world.ts";

test("sessions that are followed are bounded over all connections, by each way to follow one", async () => {
  await using world = await startWorld({ maxFollowed: 1 });
  const first = await connect(world);
  const session_id = await initialized(first);

  const second = await connect(world);
  expect(await second.request("initialize", { ...ana, session_id })).toMatchObject({
    type: "error",
    data: { code: "too_many_connections", retry_after_ms: 10_000 },
  });
  const bound = await connect(world, { path: `/mcp/ws/${session_id}` });
  expect(await bound.closed).toMatchObject({
    code: 1013,
    reason: expect.stringContaining("followed at once"),
  });
  const stream = () =>
    world.post("/mcp/process", { session_id, message: "hello" }, { accept: "text/event-stream" });
  const refused = await stream();
  expect(refused.status).toBe(429);
  expect(await bodyOf(refused)).toMatchObject({ code: "too_many_connections" });

  await first.close();
  const answered = await stream();
  expect(answered.headers.get("content-type")).toContain("text/event-stream");
  expect(await answered.text()).toContain("event: response");
  expect(await initialized(second, { session_id })).toBe(session_id);
  await second.close();
});
